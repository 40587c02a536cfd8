"""Identifiers as Meta takes them: its published examples, and the rules beside them."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.hashing import MAX_VALUES, NORMALISERS, VALUE_MAX_LENGTH, hash_identifier, hash_identifiers
from portal.errors import InvalidInput

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

#: By field: what is sent, and what is hashed.
NORMALISED = [
    ("em", "  Ada@Example.COM\t", "ada@example.com"),
    ("em", "a.b+c@example.com", "a.b+c@example.com"),
    ("ph", "+1 (650) 555-1212", "16505551212"),
    ("ph", "0044 844 412 4653", "448444124653"),
    ("ph", 16505551212, "16505551212"),
    ("ph", "tel:+49.30.123456", "4930123456"),
    ("fn", " Mary-Ann ", "maryann"),
    ("ln", "O'Brien, Jr.", "obrienjr"),
    ("ln", "Müller", "müller"),
    ("ln", "Mu\u0308ller", "müller"),
    ("ln", "MÜLLER", "müller"),
    ("ln", "van der Berg", "vanderberg"),
    ("ct", "New York", "newyork"),
    ("ct", "Saint-Étienne", "saintétienne"),
    ("ct", "Paris 7e", "paris7e"),
    ("st", "CA", "ca"),
    ("st", " california ", "ca"),
    ("st", "New York", "ny"),
    ("st", "Québec", "québec"),
    ("st", "British Columbia", "bc"),
    ("st", "Île-de-France", "îledefrance"),
    ("zp", "94035", "94035"),
    ("zp", 94035, "94035"),
    ("zp", "94035-1234", "94035"),
    ("zp", "M1 1AE", "m11ae"),
    ("zp", "1234-567", "1234567"),
    ("zp", " 75018 ", "75018"),
    ("country", "US", "us"),
    ("country", "usa", "us"),
    ("country", "Germany", "de"),
    ("country", "United Kingdom", "gb"),
    ("country", "Atlantis", "atlantis"),
    ("ge", "F", "f"),
    ("ge", " Male", "m"),
    ("db", "19970216", "19970216"),
    ("db", "1997-02-16", "19970216"),
    ("db", "1997-2-6", "19970206"),
    ("db", "16.02.1997", "19970216"),
    ("db", "1997-02-16T00:00:00Z", "19970216"),
    ("f5first", "Elizabeth", "eliza"),
    ("f5last", "Li", "li"),
    ("fi", "Mary", "m"),
    ("dobd", "6", "06"),
    ("dobm", "02", "02"),
    ("doby", "1997", "1997"),
]

HASH = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"


@pytest.mark.parametrize(("field", "value", "expected"), PUBLISHED)
def test_metas_examples(field: str, value: str, expected: str) -> None:
    assert hash_identifier(field, value) == expected


@pytest.mark.parametrize(("field", "value", "normalised"), NORMALISED)
def test_a_value_is_normalised_and_hashed(field: str, value: str | int, normalised: str) -> None:
    assert hash_identifier(field, value) == hashlib.sha256(normalised.encode()).hexdigest()


@pytest.mark.parametrize("field", NORMALISERS)
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


@pytest.mark.parametrize(
    "almost", [HASH[:-1], HASH + "a", HASH[:-1] + "g", HASH + ".abc", HASH[:32], HASH[:40], "é" * 64]
)
def test_what_only_looks_like_a_hash_is_hashed(almost: str) -> None:
    hashed = hash_identifier("em", almost)

    assert hashed == hashlib.sha256(almost.encode()).hexdigest()


@pytest.mark.parametrize(
    ("field", "value"),
    [("em", ""), ("em", "  "), ("ph", "none"), ("ph", "000"), ("fn", "…"), ("db", "-"), ("em", None)],
)
def test_nothing_is_not_hashed(field: str, value: str | None) -> None:
    assert hash_identifier(field, value) is None


@pytest.mark.parametrize("value", [True, 1.5, {}, ["a"], b"a"])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^user_data\.em: must be a text or a list of texts\.$"):
        hash_identifier("em", value)


def test_texts_and_lists_keep_their_form() -> None:
    user_data = {"em": "a@example.com", "ph": ["1 650", HASH, None, "?"], "fn": [], "external_id": "Ada 1", "x": ["y"]}

    hash_identifiers(user_data)

    assert user_data == {
        "em": hash_identifier("em", "a@example.com"),
        "ph": [hash_identifier("ph", "1650"), HASH],
        "external_id": "Ada 1",
        "x": ["y"],
    }


@pytest.mark.parametrize("field", NORMALISERS)
@given(value=st.text(st.characters(codec="utf-8")))
def test_any_text_becomes_a_hash_that_is_a_hash(field: str, value: str) -> None:
    user_data: dict[str, Any] = {field: value}

    hash_identifiers(user_data)
    once = dict(user_data)
    hash_identifiers(user_data)

    assert user_data == once
    assert not once or (len(once[field].partition(".")[0]) == 64 and once[field] != value) or value == once[field]


def test_a_month_of_hundreds_of_digits_is_no_reason_to_fail() -> None:
    assert hash_identifier("db", "9" * 400 + "/1/1990")


@pytest.mark.parametrize("field", NORMALISERS)
@pytest.mark.parametrize("text", ["a" + "\u0301\u0316" * 250_000, "1" * 500_000, "\ufdfa" * 300_000, "- " * 500_000])
def test_a_value_as_long_as_a_body_takes_no_time(field: str, text: str) -> None:
    """Normalising 100,000 accents upon one letter took the process 18 seconds, and all requests with it."""
    before = time.thread_time()
    with pytest.raises(InvalidInput, match=rf"^user_data\.{field}: must have at most 500 characters\.$"):
        hash_identifiers({field: text})
    assert time.thread_time() - before < 0.1


@pytest.mark.parametrize("field", NORMALISERS)
def test_the_longest_values_take_little_time(field: str) -> None:
    longest = ("1" + "\u0301\u0316" * VALUE_MAX_LENGTH)[:VALUE_MAX_LENGTH]
    before = time.thread_time()
    for _ in range(100):  # a tenth of the greatest body
        hash_identifiers({field: longest})
    assert time.thread_time() - before < 0.3


def test_an_identifier_has_at_most_so_many_values_to_be_hashed() -> None:
    user_data = {"em": [f"{number}@example.com" for number in range(MAX_VALUES)]}
    hash_identifiers(user_data)
    assert len(user_data["em"]) == MAX_VALUES

    with pytest.raises(InvalidInput, match=r"^user_data\.em: must have at most 20 values\.$"):
        hash_identifiers({"em": ["a"] * (MAX_VALUES + 1)})


def test_of_what_came_hashed_there_may_be_more() -> None:
    """It takes no more room than it came with."""
    user_data = {"em": [hashlib.sha256(bytes([number])).hexdigest() for number in range(MAX_VALUES + 1)]}
    hash_identifiers(user_data)
    assert len(user_data["em"]) == MAX_VALUES + 1
