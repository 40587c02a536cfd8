"""Where in a request something stands that no JSON may hold: its reader only says that there is something.

Slow, and lenient to the rest: asked only of texts that were refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from common.errors import InvalidInput

_HALF_A_CHARACTER = "must be whole characters in UTF-8; half of one stands here, as where a text was cut."
_NUL = "must not contain NUL characters."

_PATH_MAX_LENGTH = 300
#: Others may be anything, and long; they are not repeated.
_is_plain_key = re.compile(r"[A-Za-z0-9_]{1,50}").fullmatch


def refusal_of(field: str, text: bytes) -> InvalidInput | None:
    """Names the first place of half a character or of NUL, in what was sent as the field; None where there is neither.

    What is decoded so stands for half a character: half a surrogate pair that is escaped, and bytes that are no UTF-8.
    """
    try:
        value = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return _search(value, field, "" if field == "body" else field)


def _search(value: Any, field: str, root: str) -> InvalidInput | None:
    """Depth first, and without recursion: what is sent may be as deep as its readers go."""
    steps = [root]
    below = [iter([(root, value)])]
    while below:
        step, value = next(below[-1], (None, None))
        if step is None:
            below.pop()
            steps.pop()
            continue
        rule = _rule_against(value)
        if not rule and isinstance(value, dict):
            rule = next((f"has a key that {rule}" for rule in map(_rule_against, value) if rule), "")
        if rule:
            return InvalidInput("".join([*steps[1:], step]).removeprefix(".")[:_PATH_MAX_LENGTH] or field, rule)
        if isinstance(value, list | dict):
            steps.append(step)
            below.append(_parts(value))
    return None


def _parts(value: list[Any] | dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        return ((f"[{index}]", inner) for index, inner in enumerate(value))
    return ((f".{key}" if _is_plain_key(key) else ".…", inner) for key, inner in value.items())


def _rule_against(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    if "\0" in text:
        return _NUL
    return "" if text.isascii() or _is_whole(text) else _HALF_A_CHARACTER


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
