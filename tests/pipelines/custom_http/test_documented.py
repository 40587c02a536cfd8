"""docs/destinations.md: its examples work, and it names what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.custom_http import requests, template
from pipelines.custom_http.checking import check_template
from pipelines.custom_http.liquid_filters import FILTERS, TEXT_MAX_LENGTH
from pipelines.custom_http.parameters import PARAMETERS, SAMPLE
from pipelines.custom_http.template import Template

PAGE = (Path(__file__).parents[3] / "docs" / "destinations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```liquid\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("source", EXAMPLES)
def test_every_example_can_be_saved(source: str) -> None:
    check_template("payloadSchema", source, "POST")


def test_the_examples_make_what_the_page_says() -> None:
    many, one, orders = (json.loads(Template(source).render([SAMPLE])) for source in EXAMPLES)

    assert many["data"][0]["seen"] == "2026-01-01 at https://shop.example.com/checkout?step=3"
    assert one == {"name": "Purchase", "email": SAMPLE["user_data"]["em"][0], "test": False}
    assert orders == {"orders": [{"id": "ORDER-1042", "cents": 8990, "lines": []}]}


def test_every_filter_and_every_parameter_is_named() -> None:
    filters = re.search(r"\*\*Filters\*\*: (.*?)\.", PAGE, re.DOTALL)
    names = re.search(r"\*\*Names\*\*: (.*?)\. They", PAGE, re.DOTALL)

    assert filters is not None
    assert names is not None
    assert re.findall(r"`(\w+)`", filters[1]) == sorted(FILTERS)
    assert sorted(re.findall(r"`(\w+)`", names[1])) == sorted(PARAMETERS)


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (
        template.TEMPLATE_MAX_LENGTH,
        template.TAG_MAX_LENGTH,
        TEXT_MAX_LENGTH,
        requests.URL_MAX_LENGTH,
        requests.BATCH_MAX_EVENTS,
    ):
        assert re.search(rf"\b{limit:,}\b", PAGE), limit
