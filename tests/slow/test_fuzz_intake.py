"""Requests with events, made at random: odd JSON, odd forms, odd encodings, valid events with something changed."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from events.models import OutboxRow
from pixels.models import Pixel
from tests.base import tenant, undone
from tests.factories import PixelFactory
from tests.slow.fuzz import bounded, wsgi_client

NOW = int(time.time())
ERROR = {"message": str, "type": str, "code": int, "error_subcode": int, "fbtrace_id": str}

text = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["", " ", "\0", "\x85", "\u202e", "\ufeff", "é" * 51, "😀" * 26, "x" * 5_000, "https://[::1", "1e309"]
    ),
)
numbers = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, NOW, NOW * 1000, NOW + 601, NOW - 7 * 86_400 - 1, 2**31, 2**63, 2**64, 10**400]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=12,
)
identifiers = st.sampled_from(
    [
        *("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country", "external_id", "client_user_agent"),
        *("client_ip_address", "fbc", "fbp", "subscription_id", "lead_id", "madid"),
    ]
)
user_data = st.dictionaries(identifiers, st.one_of(text, st.lists(text, max_size=3), json_values), max_size=6)
event_fields = {
    "event_name": st.sampled_from(["Purchase", "PageView", "Lead", "Ünïcode"]),
    "event_time": st.integers(NOW - 6 * 86_400, NOW),
    "action_source": st.sampled_from(["website", "email", "app", "other"]),
    "user_data": user_data,
    "event_source_url": st.sampled_from(["https://shop.example.com/", "http://bücher.example/?q=1", "https://x" * 200]),
    "event_id": text,
    "custom_data": st.dictionaries(text, json_values, max_size=4),
    "opt_out": st.booleans(),
}
events = st.fixed_dictionaries(
    {name: event_fields[name] for name in ("event_name", "event_time", "action_source", "user_data")},
    optional={name: event_fields[name] for name in ("event_source_url", "event_id", "custom_data", "opt_out")},
)


@st.composite
def mutated_events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event of which a field is missing, of another type, or there beside others that nobody knows."""
    event = {**draw(events), "user_data": {"em": "ada@example.com", "client_user_agent": "Mozilla/5.0"}}
    event.setdefault("event_source_url", "https://shop.example.com/")
    for name in draw(st.lists(st.sampled_from([*event, "new"]), max_size=2)):
        if draw(st.booleans()):
            event[name] = draw(json_values)
        else:
            event.pop(name, None)
    return event


bodies = st.one_of(
    st.fixed_dictionaries(
        {"data": st.lists(st.one_of(events, mutated_events()), min_size=1, max_size=4)},
        optional={
            "accessKey": st.one_of(text, json_values),
            "test_event_code": st.one_of(text, json_values),
            "partner_agent": text,
            "upload_id": numbers,
        },
    ),
    st.fixed_dictionaries({"data": json_values}),
    json_values,
)
content_types = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=latin-1",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "multipart/form-data; boundary=" + "x" * 300,
            "multipart/mixed; boundary=ä",
            "text/plain;charset=UTF-8",
            "",
            ";",
            "a/b; c",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "ascii", "cp037"])
headers = st.fixed_dictionaries(
    {},
    optional={
        "Origin": st.sampled_from(["https://shop.example.com", "null", ""]),
        "Sec-Fetch-Site": st.just("cross-site"),
        "User-Agent": st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=600),
        "X-Forwarded-For": st.sampled_from(["1.2.3.4", "::1", "x", "1.2.3.4, 5.6.7.8"]),
        "Content-Encoding": st.sampled_from(["gzip", "identity"]),
    },
)


def _form(value: Any) -> str:
    fields = value if isinstance(value, dict) else {"data": value}
    return urlencode({name: item if isinstance(item, str) else json.dumps(item) for name, item in fields.items()})


def _multipart(value: Any) -> str:
    fields = value if isinstance(value, dict) else {"data": value}
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{json.dumps(item)}\r\n'
        for name, item in fields.items()
    )
    return "".join(parts) + "--x--\r\n"


@pytest.fixture
def pixel(db: None) -> Pixel:
    """A pixel whose account has events enhanced, which is the longer way."""
    return PixelFactory.create(tenant=tenant("Shoes", event_enrichment=True))


def assert_answered(response: TestResponse, before: int) -> None:
    """202 with all of the events stored, or a refusal in the Graph API's form with none of them."""
    answer = json.loads(response.data)
    assert response.headers["Content-Type"] == "application/json"
    stored = list(OutboxRow.objects.order_by("pk").values_list("event_count", "body")[before:])
    if response.status_code == 202:
        (row,) = stored
        assert answer.keys() == {"events_received", "messages", "fbtrace_id"}
        assert answer["events_received"] == row[0] == len(json.loads(bytes(row[1])))
        return
    assert response.status_code in (400, 401, 404), (response.status_code, answer)
    assert stored == []
    assert {name: type(value) for name, value in answer["error"].items()} == ERROR
    assert answer["error"]["message"]
    assert len(response.data) < 1_024


def send(pixel_id: str, body: bytes, content_type: str, others: dict[str, str]) -> int:
    """Post the body; what it has stored is undone."""
    before = OutboxRow.objects.count()
    with undone(), wsgi_client() as client:
        response = client.post(f"/capi/{pixel_id}/events", data=body, headers={**others, "Content-Type": content_type})
        assert_answered(response, before)
    return response.status_code


@pytest.mark.slow
def test_events_with_something_changed_are_stored_or_refused(pixel: Pixel) -> None:
    statuses: set[int] = set()

    @given(bodies, headers)
    @bounded(1_000)
    def post(value: Any, others: dict[str, str]) -> None:
        statuses.add(send(pixel.pixel_id, json.dumps(value).encode(), "application/json", others))

    post()
    assert statuses == {202, 400, 401}


@pytest.mark.slow
def test_odd_encodings_and_types_of_content_are_stored_or_refused(pixel: Pixel) -> None:
    @given(bodies, st.sampled_from([json.dumps, _form, _multipart]), encodings, content_types, headers, st.booleans())
    @bounded(1_000)
    def post(value: Any, write: Any, encoding: str, content_type: str, others: dict[str, str], ascii_: bool) -> None:
        written = json.dumps(value, ensure_ascii=ascii_) if write is json.dumps else write(value)
        send(pixel.pixel_id, written.encode(encoding, "replace"), content_type, others)

    post()


@pytest.mark.slow
def test_bytes_at_random_are_refused(pixel: Pixel) -> None:
    starts = st.sampled_from(
        [b"", b"{", b'{"data":', b'{"data":[', b"data=", b"data=[", b"--x\r\n", b"\xef\xbb\xbf{", b"[" * 900]
    )

    @given(starts, st.binary(max_size=200), content_types)
    @bounded(1_000)
    def post(start: bytes, rest: bytes, content_type: str) -> None:
        send(pixel.pixel_id, start + rest, content_type, {})

    post()


@pytest.mark.slow
def test_a_valid_request_with_bytes_changed_is_stored_or_refused(pixel: Pixel) -> None:
    event = {
        "event_name": "Purchase",
        "event_time": NOW,
        "action_source": "website",
        "event_source_url": "https://shop.example.com/",
        "user_data": {"em": "ada@example.com", "client_user_agent": "Mozilla/5.0"},
        "custom_data": {"value": 1.5, "currency": "EUR", "contents": [{"id": "a", "quantity": 1}]},
    }
    valid = json.dumps({"data": [event]}).encode()

    @given(st.lists(st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255)), min_size=1, max_size=4))
    @bounded(1_000)
    def post(changes: list[tuple[int, int]]) -> None:
        changed = bytearray(valid)
        for place, byte in changes:
            changed[place] = byte
        send(pixel.pixel_id, bytes(changed), "application/json", {})

    post()


@pytest.mark.slow
def test_addresses_at_random_are_no_pixels(pixel: Pixel) -> None:
    @given(st.text(min_size=1, max_size=40), st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"]))
    @bounded(500)
    def ask(pixel_id: str, method: str) -> None:
        with wsgi_client() as client:
            response = client.open(f"/capi/{pixel_id}/events", method=method, data=b"{}")

        assert response.status_code in (204, 400, 404, 405), (response.status_code, response.data)

    ask()
