"""Arguments of the filters' operations, each with values that break its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.bad_input import UNPRINTABLE, arguments_of, assert_refused, required_text
from tests.base import Cast
from tests.factories import PixelFactory
from tests.stage import make_stage

STATE = {"derived-only": "MIXED", "unknown": "BLOCK", "lower-case": "drop", "number": 1, "null": None}
PIXEL_IDS = {
    "unknown": ["404"],
    "too-many": [str(number) for number in range(501)],
    "null-inside": [None],
    **{name: [value] for name, value in UNPRINTABLE.items()},
    "empty-text": [""],
}
DOMAIN = {
    **UNPRINTABLE,
    "empty": "",
    "blank": "  ",
    "scheme": "https://example.com",
    "path": "example.com/path",
    "port": "example.com:443",
    "user": "me@example.com",
    "query": "example.com?x=1",
    "space": "exa mple.com",
    "wildcard": "*.example.com",
    "empty-label": "example..com",
    "hyphen": "-example.com",
    "long-label": f"{'a' * 64}.com",
    "too-long": f"{'a.' * 127}com",
    "huge": "x" * 20_000,
}
BAD: dict[str, dict[str, dict[str, Any]]] = {
    "updateEventFilter:one-pixel": {
        "input.eventName": required_text(50),
        "input.filterState": STATE,
        "input.pixelIds": PIXEL_IDS,
    },
    "updateDomainFilter:one-pixel": {
        "input.domain": DOMAIN,
        "input.filterState": STATE,
        "input.pixelIds": PIXEL_IDS,
    },
    "eventFilters": {"pixelIds": {name: value for name, value in PIXEL_IDS.items() if name != "unknown"}},
    "domainFilters": {"pixelIds": {name: value for name, value in PIXEL_IDS.items() if name != "unknown"}},
}
UPDATES = ["updateEventFilter:one-pixel", "updateDomainFilter:one-pixel"]


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(BAD))
def test_a_bad_value_is_refused_and_changes_nothing(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values)


@pytest.mark.parametrize("variant", UPDATES)
def test_one_unknown_pixel_fails_the_whole_update(cast: Cast, subtests: pytest.Subtests, variant: str) -> None:
    stage = make_stage(cast.shoes)

    values = {"second-unknown": [stage.pixel.pixel_id, "404"]}
    assert_refused(subtests, cast.robot, stage, variant, "input.pixelIds", values)


@pytest.mark.parametrize("variant", UPDATES)
def test_a_pixel_of_another_account_is_an_unknown_one(cast: Cast, subtests: pytest.Subtests, variant: str) -> None:
    stage = make_stage(cast.shoes)
    foreign = PixelFactory.create(tenant=cast.other)

    values = {"second-foreign": [stage.pixel.pixel_id, foreign.pixel_id]}
    assert_refused(subtests, cast.robot, stage, variant, "input.pixelIds", values)
