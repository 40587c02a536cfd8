"""Our table of identifiers beside Meta's own libraries: they agree, but where we want to differ and say why."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize

from events.intake.hashing.user_data import hash_identifier
from tests.clients.packages import run_node
from tests.events.test_hashing import TABLE

pytestmark = pytest.mark.slow

WANTED = tomllib.loads(Path(__file__).with_name("differences.toml").read_text("utf-8"))
#: Every input of the table, by its field.
INPUTS = [(field, sent) for field, groups in TABLE.items() for group in groups for sent in group["values"]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[tuple[str, str], str | None]]:
    """By library and input: the hash that it makes; None where it makes none."""
    file = tmp_path_factory.mktemp("identifiers") / "inputs.json"
    file.write_text(json.dumps(INPUTS), "utf-8")
    answers: dict[str, dict[tuple[str, str], str | None]] = {"builder": {}, "node": {}, "python": {}}
    for place, answer in zip(INPUTS, json.loads(run_node("identifiers.cjs", str(file))), strict=True):
        for library, digest in answer.items():
            answers[library][place] = digest
        answers["python"][place] = by_python_sdk(*place)
    return answers


def by_python_sdk(field: str, sent: str) -> str | None:
    try:
        digest: str | None = Normalize.normalize_field(field, sent)
    except (TypeError, ValueError):  # so it refuses a value
        return None
    return digest


def without_appendix(digest: str | None) -> str | None:
    return digest and digest.partition(".")[0]


@pytest.mark.parametrize("library", WANTED)
def test_we_differ_from_metas_library_where_we_want_to(
    library: str, answers: dict[str, dict[tuple[str, str], str | None]]
) -> None:
    differing = {
        place for place, digest in answers[library].items() if without_appendix(digest) != hash_identifier(*place)
    }
    wanted = {
        (field, sent) for field, groups in WANTED[library].items() for group in groups for sent in group["inputs"]
    }

    assert differing - wanted == set(), "they differ, and nobody says why"
    assert wanted - differing == set(), "they are said to differ, and do not"


def test_the_libraries_agree_with_us_on_most_that_is_ordinary(
    answers: dict[str, dict[tuple[str, str], str | None]],
) -> None:
    """A comparison that compares nothing would pass as well."""
    assert len(answers["builder"]) > 500
    for library, ours in answers.items():
        agreed = [
            place for place, digest in ours.items() if digest and without_appendix(digest) == hash_identifier(*place)
        ]
        assert len(agreed) > 100, library


@pytest.mark.parametrize("library", WANTED)
def test_every_difference_has_a_reason(library: str) -> None:
    groups = [group for groups in WANTED[library].values() for group in groups]
    assert all(group["reason"].endswith(".") and group["inputs"] for group in groups)
