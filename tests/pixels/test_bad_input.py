"""Arguments of the pixels' operations, each with values that break its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pixels.models import (
    ACCESS_TOKEN_MAX_LENGTH,
    BUSINESS_ID_MAX_LENGTH,
    EXTERNAL_ID_MAX_LENGTH,
    NAME_MAX_LENGTH,
)
from tests.bad_input import (
    CONTROL_CHARACTERS,
    UNPRINTABLE,
    UNSTORABLE,
    arguments_of,
    assert_refused,
    optional_text,
    required_text,
)
from tests.base import Cast
from tests.factories import PixelFactory
from tests.stage import make_stage

NO_PIXEL_ID = {
    **CONTROL_CHARACTERS,
    "empty": "",
    "letters": "12a",
    "sign": "-12",
    "fraction": "1.5",
    "too-long": "1" * 21,
    "other-digits": "١٢٣",
    "line-end": "12\n",
}
STATUS = {"negative": -1, "unknown": 2, "text": "1", "null": None, "beyond-32-bits": 2**31}
MINUTES = {"zero": 0, "negative": -1, "too-many": 2**31 - 1, "beyond-32-bits": 2**31, "text": "60"}
LISTS = {"too-many": [str(number) for number in range(501)], "null-inside": [None], "object": {"x": 1}}

BAD: dict[str, dict[str, dict[str, Any]]] = {
    "setupPixelSignalConfig:new": {
        "input.pixelId": NO_PIXEL_ID | UNSTORABLE | {"null": None},
        "input.businessId": required_text(BUSINESS_ID_MAX_LENGTH),
        "input.accessToken": required_text(ACCESS_TOKEN_MAX_LENGTH),
        "input.externalId": optional_text(EXTERNAL_ID_MAX_LENGTH) | {"null": None},
        "input.name": optional_text(NAME_MAX_LENGTH),
        "input.apiVersion": {
            **UNPRINTABLE,
            "no-v": "24.0",
            "no-minor": "v24",
            "word": "latest",
            "path": "v24.0/me",
            "line-end": "v24.0\n",
            "other-digits": "v٢٤.0",
            "too-long": f"v{'1' * 20}.0",
        },
    },
    "deleteDataSource": {"id": UNSTORABLE},
    "updateSignalConfigEventsStatus": {"id": UNSTORABLE, "input.status": STATUS},
    "updateSignalConfigCapiPublish": {"id": UNSTORABLE, "input.status": STATUS},
    "account": {"timeWindowMin": MINUTES},
    "eventMetrics": {
        "timeWindowMin": MINUTES,
        "pixelIds": LISTS | {name: [value] for name, value in (NO_PIXEL_ID | UNSTORABLE).items()},
    },
}
NOT_FOUND: dict[str, dict[str, dict[str, Any]]] = {
    variant: {"id": NO_PIXEL_ID | {"unknown": "404"}}
    for variant in ("deleteDataSource", "updateSignalConfigEventsStatus", "updateSignalConfigCapiPublish")
}


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(BAD))
def test_a_bad_value_is_refused_and_changes_nothing(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values)


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(NOT_FOUND))
def test_a_pixel_that_is_not_there_is_not_found(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values, 404)


@pytest.mark.parametrize("variant", NOT_FOUND)
def test_a_pixel_of_another_account_is_not_found(cast: Cast, subtests: pytest.Subtests, variant: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)

    values = {"foreign": foreign.pixel_id}
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, "id", values, 404)


def test_a_pixel_is_connected_in_one_account_only(cast: Cast, subtests: pytest.Subtests) -> None:
    foreign = PixelFactory.create(tenant=cast.other)

    values = {"taken": foreign.pixel_id}
    stage = make_stage(cast.shoes)
    assert_refused(subtests, cast.robot, stage, "setupPixelSignalConfig:new", "input.pixelId", values)
