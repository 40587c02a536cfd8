"""The rules for what comes in about pixels hold for any text at all."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from pixels import validation

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
digits = st.text(string.digits, min_size=1, max_size=20)


@given(digits)
def test_up_to_20_digits_are_a_pixel_id_and_come_back_as_they_are(value: str) -> None:
    assert validation.clean_pixel_id(value) == value


@given(any_text)
def test_nothing_but_ascii_digits_is_a_pixel_id(value: str) -> None:
    allowed = 1 <= len(value) <= 20 and all(char in string.digits for char in value)
    assert validation.is_pixel_id(value) is allowed


@given(st.integers(0, 999), st.integers(0, 999))
def test_versions_come_back_as_they_are(major: int, minor: int) -> None:
    assert validation.clean_api_version(f"v{major}.{minor}") == f"v{major}.{minor}"


@given(any_text)
def test_a_version_cannot_lead_the_publisher_to_another_address(value: str) -> None:
    try:
        version = validation.clean_api_version(value)
    except InvalidInput:
        return
    assert set(version) <= set("v." + string.digits)
    assert len(version) <= 10


@given(any_text)
def test_a_token_comes_back_as_it_is_or_is_refused_without_being_repeated(value: str) -> None:
    if value and value.isprintable() and not any(char.isspace() for char in value):
        assert validation.clean_access_token(value) == value
        return
    with pytest.raises(InvalidInput) as refused:
        validation.clean_access_token(value)
    assert str(refused.value) in {
        "accessToken: must have 1 to 2,048 characters.",
        "accessToken: must not contain white space or control characters.",
    }


@given(any_text)
def test_what_is_accepted_can_be_stored_and_shown(value: str) -> None:
    for clean in (validation.clean_business_id, validation.clean_external_id, validation.clean_name):
        try:
            accepted = clean(value)
        except InvalidInput:
            continue
        stored = accepted or ""
        assert stored == stored.strip()
        assert "\0" not in stored.encode().decode()


def test_a_time_window_is_an_hour_where_none_is_given() -> None:
    assert validation.clean_time_window(None) == 60


@pytest.mark.parametrize("minutes", [1, 43_200])
def test_a_time_window_reaches_from_a_minute_to_30_days(minutes: int) -> None:
    assert validation.clean_time_window(minutes) == minutes


@pytest.mark.parametrize("minutes", [0, -1, 43_201])
def test_other_time_windows_are_refused(minutes: int) -> None:
    with pytest.raises(InvalidInput, match=r"^timeWindowMin: "):
        validation.clean_time_window(minutes)


def test_named_pixels_come_back_once_each_and_in_order() -> None:
    assert validation.clean_pixel_ids(["2", "1", "2"], {"1", "2", "3"}) == ["2", "1"]


@pytest.mark.parametrize("nobody", [None, []])
def test_no_named_pixel_is_an_empty_list(nobody: list[str] | None) -> None:
    assert validation.clean_pixel_ids(nobody, {"1"}) == []


@given(st.lists(any_text | st.sampled_from(["1", "2"]), max_size=5))
def test_one_unknown_pixel_refuses_the_list(given_ids: list[str]) -> None:
    known = {"1", "2"}
    if set(given_ids) <= known:
        assert sorted(validation.clean_pixel_ids(given_ids, known)) == sorted(set(given_ids))
        return
    with pytest.raises(InvalidInput) as refused:
        validation.clean_pixel_ids(given_ids, known)
    assert refused.value.field == "pixelIds"


def test_a_list_of_pixels_is_bounded() -> None:
    with pytest.raises(InvalidInput, match=r"^pixelIds: must name at most 500 pixels"):
        validation.clean_pixel_ids(["1"] * 501, {"1"})
