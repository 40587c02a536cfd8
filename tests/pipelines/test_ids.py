"""Ids in the reference's form, which of pixels hold the pixel's id."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ids import DESTINATION, PIPELINE, id_of, id_of_pixel, read_id

#: Always the same: it names tests, which each process that runs them finds by name.
SOME = UUID("9b9d87ce-945c-47ea-959a-2d1e07feab09")


@given(st.text("0123456789", min_size=1, max_size=20))
def test_the_id_of_a_pixels_pipeline_is_a_uuid_and_tells_the_pixel(pixel_id: str) -> None:
    made = id_of_pixel(PIPELINE, pixel_id)

    assert UUID(made.removeprefix(PIPELINE)).version == 8
    assert read_id(PIPELINE, made) == pixel_id


def test_other_uuids_are_of_rows() -> None:
    uuid = uuid4()

    assert read_id(DESTINATION, id_of(DESTINATION, uuid)) == uuid


@given(st.text() | st.text("0123456789abcdef-", min_size=36, max_size=36).map(f"{PIPELINE}{{}}".format))
def test_no_other_text_is_an_error(text: str) -> None:
    found = read_id(PIPELINE, text)

    assert found is None or text in (id_of(PIPELINE, str(found)), id_of_pixel(PIPELINE, str(found)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        PIPELINE,
        str(SOME),
        id_of(DESTINATION, SOME),
        id_of(PIPELINE, SOME).upper(),
        f"{PIPELINE}{SOME.hex}",
        f"{PIPELINE}{{{SOME}}}",
        f"{PIPELINE}{'٣' * 32}",
        f"{PIPELINE}\ud800",
    ],
)
def test_one_spelling_alone_is_an_id(text: str) -> None:
    assert read_id(PIPELINE, text) is None
