"""What browsers post, made at random: an event that is stored, one that is left out, or a refusal; never a fault."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.models import OutboxRow
from pixels.models import Pixel
from tests.base import undone
from tests.factories import PixelFactory
from tests.slow.fuzz import bounded, wsgi_client
from tests.slow.test_fuzz_intake import content_types, encodings, headers, identifiers, json_values, text

NAMES = ["PageView", "Purchase", "\u00dcn\u00efcode"]
names = st.one_of(st.sampled_from(NAMES), text, json_values)
#: No browser writes a number that none of its own can hold.
has_no_json_number = re.compile(r"[0-9]{300}").search
person = st.dictionaries(identifiers, st.one_of(text, json_values), max_size=6)
order = st.dictionaries(
    st.one_of(st.sampled_from(["value", "currency", "content_ids", "contents", "num_items", "content_name"]), text),
    st.one_of(text, json_values, st.builds(json.dumps, json_values)),
    max_size=5,
)
page = st.dictionaries(st.sampled_from(["location", "referrer", "isInIFrame"]), st.one_of(text, json_values))
#: What has the form of an object may come as its text, or be anything else.
FIELDS = {
    "event_id": st.one_of(text, json_values),
    "fb.fbp": st.one_of(text, json_values),
    "fb.fbc": st.one_of(text, json_values),
    "fb.clickID": st.one_of(text, json_values),
    "fb.advanced_matching": st.one_of(person, st.builds(json.dumps, person), json_values),
    "fb.dynamic_product_ads": st.one_of(order, json_values),
    "custom_data": st.one_of(order, st.builds(json.dumps, order), json_values),
    "conversion_value": st.one_of(order, json_values),
    "automatic_parameters": st.one_of(order, json_values),
    "website_context": st.one_of(page, json_values),
    "data_processing_options": json_values,
    "plugin.x": json_values,
}
bodies = st.fixed_dictionaries({"event_name": names}, optional=FIELDS)


@pytest.fixture
def pixel(db: None) -> Pixel:
    return PixelFactory.create()


def send(body: bytes, content_type: str, others: dict[str, str]) -> int:
    """Post the body; what it has stored is undone."""
    with undone(), wsgi_client() as client:
        before = OutboxRow.objects.count()
        response = client.post("/events", data=body, headers={**others, "Content-Type": content_type})
        stored = [bytes(row) for row in OutboxRow.objects.order_by("pk").values_list("body", flat=True)[before:]]
    assert response.status_code in (200, 400, 413, 415), (response.status_code, response.data)
    if response.status_code == 200:
        assert response.data == b""
        for row in stored:
            (event,) = json.loads(row)
            assert event["event_id"]
            assert event["user_data"]
            assert "\\u0000" not in json.dumps(event).replace("\\\\", "")
    else:
        assert stored == []
        assert json.loads(response.data)["error"]["message"]
    return response.status_code


@pytest.mark.slow
def test_events_with_anything_in_them_are_stored_or_refused_for_their_name(pixel: Pixel) -> None:
    statuses: set[int] = set()

    @given(bodies, headers)
    @bounded(1_500)
    def post(value: dict[str, Any], others: dict[str, str]) -> None:
        others.pop("Content-Encoding", None)
        body = json.dumps({**value, "fb.pixel_id": pixel.pixel_id})
        status = send(body.encode(), "text/plain", others)
        if value["event_name"] in NAMES and not has_no_json_number(body):
            assert status == 200
        statuses.add(status)

    post()
    assert statuses == {200, 400}


@pytest.mark.slow
def test_odd_encodings_of_the_body_are_stored_or_refused(pixel: Pixel) -> None:
    @given(bodies, encodings, content_types, headers, st.booleans())
    @bounded(1_000)
    def post(value: Any, encoding: str, content_type: str, others: dict[str, str], ascii_: bool) -> None:
        written = json.dumps({**value, "fb.pixel_id": pixel.pixel_id}, ensure_ascii=ascii_)
        send(written.encode(encoding, "replace"), content_type, others)

    post()


@pytest.mark.slow
def test_a_valid_body_with_bytes_changed_is_stored_or_refused(pixel: Pixel) -> None:
    valid = json.dumps(
        {
            "event_name": "Purchase",
            "event_id": "order-1",
            "fb.pixel_id": pixel.pixel_id,
            "fb.advanced_matching": {"em": "ada@example.com"},
            "custom_data": {"value": "19,99", "currency": "EUR", "content_ids": "[1]", "content_name": "\U0001f600"},
            "automatic_parameters": {"contents": '[{"id":"1"}]'},
            "website_context": {"location": "https://shop.example.com/?fbclid=x"},
        }
    ).encode()

    @given(st.lists(st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255)), min_size=1, max_size=4))
    @bounded(1_500)
    def post(changes: list[tuple[int, int]]) -> None:
        changed = bytearray(valid)
        for place, byte in changes:
            changed[place] = byte
        send(bytes(changed), "text/plain", {})

    post()
