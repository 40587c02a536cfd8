"""What is shown of a refused request: the mistake, and nothing that may tell of anybody."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from common.errors import InvalidInput
from events.models import SAMPLE_MAX_LENGTH
from events.refused.samples import sample_of_body, sample_of_event
from tests.events.sending import EMAIL_HASH, purchase

#: What a careless sender may put anywhere.
TELLING = (
    "ada.lovelace@example.com",
    "ada%40example.com",
    "+49 170 1234567",
    "0170/12 34 56 7",
    EMAIL_HASH,
    "d41d8cd98f00b204e9800998ecf8427e",
    "EAAGm0PX4ZCpsBAKZCqk9d8fP1mZBt2",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    # The same in other characters, and wrapped.
    "ada＠example.com",
    "ada\ufe6bexample.com",
    "https://shop.example.com/ada%2540example.com",
    "https://shop.example.com/?e=ada%EF%BC%A0example.com",
    "ada&#64;example.com",
    "ada&#x40;example.com",
    '{\\"email\\":\\"ada\\u0040example.com\\"}',
    "YWRhQHguY29t",
    "mail:YWRhQGV4YW1wbGUuY29t==",
    "٠١٧٠١٢٣٤٥٦٧",
    "+49\u2013170\u2013123\u20134567",
    "+49\u00b7170\u00b7123\u00b74567",
    "+49 - 170 - 123 - 4567",
    "%2B49170%31234567",
)
FIELDS = ("event_name", "event_id", "event_time", "action_source", "event_source_url", "custom_data", "opt_out", "more")


@pytest.mark.parametrize("value", TELLING, ids=range(len(TELLING)))
@pytest.mark.parametrize("field", FIELDS)
def test_no_datum_hash_or_token_is_shown_wherever_it_stands(field: str, value: str) -> None:
    for event in (
        purchase(**{field: value}),
        purchase(**{field: [value]}),
        purchase(**{field: {value: value}}),
        purchase(**{value: 1}),
        purchase(user_data={value: value, "em": value}),
        purchase(custom_data={"content_ids": [value], "currency": value, value: 1}),
        value,
        [value],
    ):
        assert value not in sample_of_event(event)
    body = json.dumps(purchase(**{field: value})).encode()
    assert value not in sample_of_body(body, InvalidInput("body", "must be valid JSON in UTF-8: {error}.", error=""))


def test_the_mistake_can_be_seen() -> None:
    now = int(time.time() * 1_000)
    sample = json.loads(sample_of_event(purchase(event_time=now, event_id="order-1")))
    assert (sample["event_time"], sample["event_id"]) == (now, "order-1")
    assert sample["event_source_url"] == "https://shop.example.com/thanks"
    assert set(sample["user_data"]) == {"em", "client_user_agent"}

    assert "0000000000000" in sample_of_event(purchase(event_id=str(now)))


@pytest.mark.parametrize(
    ("number", "shown"), [(491701234567, False), (19.99, True), (12, True), (1_700_000_000, False)]
)
def test_numbers_may_be_telephones(number: float, shown: bool) -> None:
    assert (str(number) in sample_of_event(purchase(event_id=number))) is shown


def test_a_body_is_shown_from_before_the_place_where_its_reader_stopped() -> None:
    body = b'{"data": [' + b'{"event_name": "Lead", "note": "Ada"}, ' * 20 + b"oops]}"
    place = body.index(b"oops")
    rule = "must be valid JSON in UTF-8: {error}."
    sample = sample_of_body(
        body, InvalidInput("body", rule, error=f"JSON is malformed: invalid character (byte {place})")
    )

    assert sample.startswith("…")
    assert sample.endswith('"xxxx": "Xxx"}, xxxx]}')
    assert '"event_name": "Lead"' in sample


@pytest.mark.parametrize(
    "event",
    [
        {f"field_{n}": "x" * 100 for n in range(500)},
        {"event_name": "x" * 10_000},
        "x" * 10_000,
        ["x"] * 10_000,
        None,
        1,
    ],
    ids=["wide", "long", "text", "list", "null", "number"],
)
def test_it_has_its_length(event: Any) -> None:
    assert len(sample_of_event(event)) <= SAMPLE_MAX_LENGTH


@pytest.mark.parametrize("body", [b"", bytes(range(256)) * 10, "€😀".encode() * 1_000, b"\0" * 10_000])
def test_any_bytes_have_a_sample(body: bytes) -> None:
    sample = sample_of_body(body, InvalidInput("body", "is nested too deeply."))
    assert len(sample) <= SAMPLE_MAX_LENGTH
    assert "\0" not in sample
