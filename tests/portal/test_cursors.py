"""Cursors: what was encoded comes back, and nothing else passes."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.cursors import clean_page_size, decode_cursor, encode_cursor
from common.errors import InvalidInput

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(text=TEXT, number=st.integers(0, 2**53 - 1))
def test_a_place_comes_back_from_its_cursor(text: str, number: int) -> None:
    assert decode_cursor(encode_cursor(text, number), str, int) == [text, number]


@given(cursor=st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_whatever_else_comes_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="after"):
        decode_cursor(cursor, str, int, str)


@pytest.mark.parametrize(
    "place",
    [
        [],
        ["a"],
        ["a", "b"],
        [1, 2],
        ["a", 1, 2],
        ["a", True],
        ["a", -1],
        ["a", 2**53],
        ["a", 1.0],
        ["a\0", 1],
        ["\ud800", 1],
        {},
    ],
)
def test_a_place_of_another_form_is_refused(place: object) -> None:
    with pytest.raises(InvalidInput, match="after"):
        decode_cursor(base64.urlsafe_b64encode(json.dumps(place).encode()).decode(), str, int)


def test_a_page_has_1_to_200_rows() -> None:
    assert [clean_page_size(first) for first in (None, 1, 200)] == [50, 1, 200]
    for first in (0, -1, 201):
        with pytest.raises(InvalidInput, match="first"):
            clean_page_size(first)
