"""Identifiers as Meta takes them: its published examples, and the rules beside them."""

from __future__ import annotations

import hashlib
import tomllib
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.intake.hashing.user_data import (
    MAX_VALUES,
    RULES,
    VALUE_MAX_LENGTH,
    are_hashes,
    hash_identifier,
    hash_identifiers,
)
from events.intake.left_out import LeftOut, Reason
from events.intake.tables import Table
from tests.cost import seconds_of

#: "Customer Information Parameters" of the Conversions API: the input, and the hash that Meta expects.
PUBLISHED = [
    ("em", "John_Smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
    ("ph", "1(650)555-1212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
    ("fn", "Mary", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
    ("fn", "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    ("fn", "Valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    ("db", "2/16/1997", "01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c"),
    ("country", "United States", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
]

TABLE = tomllib.loads(Path(__file__).with_name("identifiers.toml").read_text("utf-8"))
#: What is sent, what is hashed of it (nothing where it is left out), and why.
CASES = [
    pytest.param(field, sent, normalised, id=f"{field}-{sent!a}-{group['reason']}")
    for field, groups in TABLE.items()
    for group in groups
    for sent, normalised in group["values"].items()
]

HASH = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("field", "value", "expected"), PUBLISHED)
def test_metas_examples(field: str, value: str, expected: str) -> None:
    assert hash_identifier(field, value) == expected


@pytest.mark.parametrize(("field", "sent", "normalised"), CASES)
def test_a_value_is_normalised_and_hashed_or_left_out(field: str, sent: str, normalised: str) -> None:
    assert hash_identifier(field, sent) == (sha256(normalised) if normalised else None)


@pytest.mark.parametrize(
    ("field", "value", "normalised"),
    [
        ("ph", 16505551212, "16505551212"),
        ("ph", 16505551212.0, "16505551212"),
        ("zp", 94035, "94035"),
        ("dobd", 6, "06"),
    ],
)
def test_a_number_is_read_as_its_digits(field: str, value: float, normalised: str) -> None:
    assert hash_identifier(field, value) == sha256(normalised)


def test_every_identifier_stands_in_the_table() -> None:
    assert set(TABLE) == set(RULES)
    assert all(group["reason"] and group["values"] for groups in TABLE.values() for group in groups)


@pytest.mark.parametrize("field", RULES)
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (HASH, HASH),
        (HASH.upper(), HASH),
        (f" {HASH}\n", HASH),
        (f"{HASH}.AQYCAQAA", f"{HASH}.AQYCAQAA"),
        (f"{HASH.upper()}.Ag", f"{HASH}.Ag"),
    ],
    ids=["hash", "capitals", "spaces", "builders-appendix", "old-appendix"],
)
def test_a_hash_is_not_hashed_again(field: str, value: str, kept: str) -> None:
    assert hash_identifier(field, value) == kept


@pytest.mark.parametrize("almost", [HASH[:-1], HASH + "a", HASH[:-1] + "g", HASH + ".abc"])
def test_what_only_looks_like_a_hash_is_taken_for_what_it_is(almost: str) -> None:
    assert hash_identifier("em", almost) is None
    assert hash_identifier("ct", almost) == sha256(almost.replace(".", ""))


@pytest.mark.parametrize("field", RULES)
@pytest.mark.parametrize("length", [32, 40, 56, 96, 128])
def test_a_hash_of_another_kind_is_left_out(field: str, length: int) -> None:
    for digest in ((HASH * 2)[:length], (HASH * 2)[:length].upper()):
        assert hash_identifiers({field: digest}) == [LeftOut(f"user_data.{field}", Reason.OTHER_HASH)]


@pytest.mark.parametrize("field", RULES)
@pytest.mark.parametrize("nothing", ["", " ", "null", "None", "N/A", "undefined", "[object Object]", "0"])
def test_a_hash_of_nothing_is_left_out(field: str, nothing: str) -> None:
    for digest in (sha256(nothing), sha256(nothing).upper(), f"{sha256(nothing)}.AQYCAQAA"):
        user_data = {field: [digest, HASH], "external_id": "ada"}

        assert not are_hashes(Table([user_data]))
        assert hash_identifiers(user_data) == [LeftOut(f"user_data.{field}", Reason.NOTHING)]
        assert user_data == {field: [HASH], "external_id": "ada"}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("em", "test@test", Reason.NO_EMAIL),
        ("ph", "phone", Reason.NO_PHONE),
        ("ct", "94035", Reason.NO_CITY),
        ("st", "13", Reason.NO_STATE),
        ("zp", "a", Reason.NO_POSTAL_CODE),
        ("country", "Atlantis", Reason.NO_COUNTRY),
        ("ge", "other", Reason.NO_GENDER),
        ("db", "02/16/97", Reason.NO_DATE),
        ("fn", "null", Reason.NOTHING),
        ("em", True, Reason.NOTHING),
        ("em", 1.5, Reason.NO_TEXT),
        ("em", {"a": 1}, Reason.NO_TEXT),
        ("em", [["a@example.com"]], Reason.NO_TEXT),
        ("em", "a" * (VALUE_MAX_LENGTH + 1), Reason.TOO_LONG),
        ("fn", "a" + "\u0301\u0316" * 5, Reason.UNUSABLE),
        ("external_id", "undefined", Reason.NOTHING),
        ("external_id", 0, Reason.NOTHING),
        ("external_id", {"id": 1}, Reason.NO_TEXT),
    ],
)
def test_what_meta_cannot_use_is_left_out_and_told(field: str, value: Any, reason: Reason) -> None:
    user_data = {field: value, "client_user_agent": "x"}

    assert hash_identifiers(user_data) == [LeftOut(f"user_data.{field}", reason)]
    assert user_data == {"client_user_agent": "x"}


def test_a_reason_is_told_once_a_field() -> None:
    assert hash_identifiers({"em": ["a", "b", "null"], "ph": "phone"}) == [
        LeftOut("user_data.em", Reason.NO_EMAIL),
        LeftOut("user_data.em", Reason.NOTHING),
        LeftOut("user_data.ph", Reason.NO_PHONE),
    ]


def test_what_is_null_was_never_given() -> None:
    user_data = {"em": None, "ph": [], "fn": [None], "external_id": None, "ln": "Ada"}

    assert hash_identifiers(user_data) == []
    assert user_data == {"ln": hash_identifier("ln", "ada")}


@pytest.mark.parametrize("value", ["Ada 1", 7, ["u1", 7], "x" * 1_000, sha256("ada"), "정"])
def test_a_shops_own_id_stays_as_it_is(value: Any) -> None:
    user_data = {"external_id": value}

    assert hash_identifiers(user_data) == []
    assert user_data == {"external_id": value}


def test_of_several_ids_those_that_are_none_are_left_out() -> None:
    user_data = {"external_id": ["u1", "guest", sha256("")]}

    assert hash_identifiers(user_data) == [LeftOut("user_data.external_id", Reason.NOTHING)]
    assert user_data == {"external_id": ["u1"]}


def test_texts_and_lists_keep_their_form() -> None:
    user_data = {"em": "a@example.com", "ph": ["1 650", HASH, None, "?"], "fn": [], "external_id": "Ada 1", "x": ["y"]}

    hash_identifiers(user_data)

    assert user_data == {
        "em": hash_identifier("em", "a@example.com"),
        "ph": [hash_identifier("ph", "1650"), HASH],
        "external_id": "Ada 1",
        "x": ["y"],
    }


@pytest.mark.parametrize("field", RULES)
@given(value=st.text(st.characters(codec="utf-8")))
def test_any_text_becomes_a_hash_that_is_a_hash(field: str, value: str) -> None:
    user_data: dict[str, Any] = {field: value}

    hash_identifiers(user_data)
    once = dict(user_data)
    hash_identifiers(user_data)

    assert user_data == once
    assert not once or (len(once[field].partition(".")[0]) == 64 and once[field] != value) or value == once[field]


def test_a_month_of_hundreds_of_digits_is_no_reason_to_fail() -> None:
    assert hash_identifier("db", "9" * 400 + "/1/1990") is None


LONG = ["a" + "\u0301\u0316" * 250_000, "1" * 500_000, "\ufdfa" * 300_000, "- " * 500_000, " " * 1_000_000]


@pytest.mark.parametrize("field", [*RULES, "external_id"])
@pytest.mark.parametrize("text", LONG)
def test_a_value_as_long_as_a_body_takes_no_time(field: str, text: str) -> None:
    """Normalising 100,000 accents upon one letter took the process 18 seconds, and all requests with it."""
    assert seconds_of(lambda: hash_identifiers({field: text}), enough=0.1) < 0.1


@pytest.mark.parametrize("field", RULES)
@pytest.mark.parametrize(
    "longest",
    [
        ("1" + "\u0301\u0316" * VALUE_MAX_LENGTH)[:VALUE_MAX_LENGTH],
        ("1" + ("\u0301\u0316" * 4 + "\u1100") * VALUE_MAX_LENGTH)[:VALUE_MAX_LENGTH],
        ("a-" * VALUE_MAX_LENGTH)[: VALUE_MAX_LENGTH - 10] + "@x-y.z.com",
        ("Republic of " * VALUE_MAX_LENGTH)[:VALUE_MAX_LENGTH],
        ("(,/ - " * VALUE_MAX_LENGTH)[:VALUE_MAX_LENGTH],
    ],
)
def test_the_longest_values_take_little_time(field: str, longest: str) -> None:
    numbers = count()

    def hash_many() -> None:
        for number in islice(numbers, 100):  # a twentieth of a body of 1 MiB
            hash_identifiers({field: longest[:-3] + f"{number:03}"})

    assert seconds_of(hash_many, enough=0.2) < 0.2


def test_an_identifier_has_at_most_so_many_values_to_be_hashed() -> None:
    """Those behind them are left out."""
    emails = [f"{number}@example.com" for number in range(MAX_VALUES + 1)]
    user_data = {"em": emails[:MAX_VALUES]}
    assert hash_identifiers(user_data) == []
    assert len(user_data["em"]) == MAX_VALUES

    user_data = {"em": emails}
    assert hash_identifiers(user_data) == [LeftOut("user_data.em", Reason.TOO_MANY)]
    assert user_data["em"] == [hash_identifier("em", email) for email in emails[:MAX_VALUES]]


def test_of_what_came_hashed_there_may_be_more() -> None:
    """It takes no more room than it came with."""
    user_data = {"em": [sha256(f"{number}@example.com") for number in range(MAX_VALUES + 1)]}
    hash_identifiers(user_data)
    assert len(user_data["em"]) == MAX_VALUES + 1
