"""Bad values for arguments, and the one thing to assert of them: refused, and nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.base import Caller, client_of, snapshot, undone
from tests.operations import run
from tests.stage import VARIABLES, Stage

#: No database can store these, the surrogate for want of a partner: refused wherever they stand.
UNSTORABLE = {"NUL": "a\0b", "surrogate": "a\ud800b"}
#: No text that is kept may hold these either.
CONTROL_CHARACTERS = {"escape": "a\x1bb", "line-break": "a\nb", "C1-control": "a\x85b"}
UNPRINTABLE = UNSTORABLE | CONTROL_CHARACTERS

#: By argument, as a dotted path into the variables: bad values, each with a name.
BadValues = Mapping[str, Mapping[str, Any]]


def required_text(max_length: int) -> dict[str, Any]:
    """What is wrong for a text that must be there and has at most ``max_length`` characters."""
    return {**optional_text(max_length), "empty": "", "blank": " \u00a0 "}


def optional_text(max_length: int) -> dict[str, Any]:
    """What is wrong for a text that may be left out."""
    return {**UNPRINTABLE, "too-long": "x" * (max_length + 1), "huge": "x" * 20_000}


def arguments_of(table: Mapping[str, BadValues]) -> list[Any]:
    """A pytest parameter set ``(variant, path, values)`` for each argument of each operation."""
    return [
        pytest.param(variant, path, values, id=f"{variant}-{path}")
        for variant, arguments in table.items()
        for path, values in arguments.items()
    ]


def assert_refused(
    subtests: pytest.Subtests,
    caller: Caller,
    stage: Stage,
    variant: str,
    path: str,
    values: Mapping[str, Any],
    code: int = 400,
) -> None:
    """Run the operation with each value, and see it refused with ``code`` and a message that names the field."""
    client = client_of(caller)
    before = snapshot()
    for name, value in values.items():
        with subtests.test(value=name), undone():
            answer = run(client, variant.partition(":")[0], **_with(VARIABLES[variant](stage), path, value))

            assert answer.refused(code), (answer.status, answer.body)
            assert path.rpartition(".")[2] in answer.message or code == 401
            assert snapshot() == before


def _with(variables: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(variables)
    *parents, field = path.split(".")
    target = changed
    for parent in parents:
        target = target[parent]
    target[field] = value
    return changed
