"""What may be posted: JSON whatever the Content-Type says, and the Graph API's forms; anything else is a 400."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.intake import server_body
from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import post, purchase, stored
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

URLENCODED = "application/x-www-form-urlencoded"
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain;charset=UTF-8",
    URLENCODED,
    MULTIPART_CONTENT,
    "nonsense",
    "x/",
    "",
]


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("before", ["", " \n\t", "\ufeff"])
def test_json_is_json_whatever_the_content_type_says(pixel: Pixel, content_type: str, before: str) -> None:
    event = purchase()

    assert post(pixel, before + json.dumps({"data": [event]}), content_type).status == 202
    assert stored(pixel) == [[event]]


def test_phps_way_of_writing_json_is_read(pixel: Pixel) -> None:
    event = purchase(event_name="Achat terminé")
    body = json.dumps({"data": [event]}).replace("/", "\\/")
    assert "\\u00e9" in body

    assert post(pixel, body).status == 202
    assert stored(pixel) == [[event]]


@pytest.mark.parametrize("colon", ["\\u003a", "\\u003A", "\\\\\\u003a", ":"])
def test_a_colon_may_be_written_in_any_way(pixel: Pixel, colon: str) -> None:
    body = json.dumps({"data": [purchase(custom_data={"a": "COLON", "COLON": ["\\u003a", "\\\\u003A"]})]})

    assert post(pixel, body.replace("COLON", colon)).status == 202


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        "}",
        "null",
        "1",
        '"data"',
        "[]",
        "[{}]",
        "{}",
        '{"data": null}',
        '{"data": {}}',
        '{"data": 1}',
        '{"data": []}',
        '{"data": [],}',
        '{"data": "x"}',
        '{"data": "null"}',
        '{"data": "[]"}',
        '{"data": [EVENT]} trailing',
        '{"data": [EVENT, ]}',
        "{'data': [EVENT]}",
        '{"data": [EVENT], "x": NaN}',
        '{"data": [EVENT], "x": Infinity}',
        '{"data": [EVENT], "x": 1e999}',
        '{"data": [EVENT], "x": 01}',
        '{"data": [EVENT], "x": 99999999999999999999}',
        '{"data": [EVENT], "x": "\x00"}',
        '{"data": [EVENT], "x": "\\x41"}',
        '{"data": [EVENT], "x": "a\nb"}',
        '{"data": [EVENT], "data": [EVENT]}',
        '{"data": [EVENT], "x": [{"a": 1, "b": {}, "a": 2}]}',
        '{"data": [EVENT], "x": {"a": 1, "\\u0061": 2}}',
        '{"data": [EVENT], "x": {"a": 1, "a": "\\u003a"}}',
        '{"data": [EVENT], "x": ' + "[" * 500 + "]" * 500 + "}",
        '{"data": [EVENT], "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"data": [EVENT], "x": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"data": ' + "[" * 1_000_000,
        "<xml/>",
        "data",
        "data=",
        "data=x",
        "data=%FF",
        "data=%00",
        "&" * 10_000,
        "a=b&" * 10_000,
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", URLENCODED, MULTIPART_CONTENT])
def test_a_body_that_is_neither_is_refused(pixel: Pixel, body: str, content_type: str) -> None:
    reply = post(pixel, body.replace("EVENT", json.dumps(purchase())), content_type)

    assert reply.status == 400
    assert reply.message.partition(": ")[0] in {"body", "data"}
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"])
@pytest.mark.parametrize("content_type", ["application/json", URLENCODED, MULTIPART_CONTENT])
def test_what_is_no_utf_8_is_refused(pixel: Pixel, text: bytes, content_type: str) -> None:
    bodies = {
        "application/json": b'{"data": [EVENT], "x": "BAD"}',
        URLENCODED: b"data=[EVENT]&x=BAD",
        MULTIPART_CONTENT: encode_multipart(BOUNDARY, {"data": "[EVENT]", "x": "BAD"}),
    }
    event = json.dumps(purchase()).encode()

    assert post(pixel, bodies[content_type].replace(b"EVENT", event).replace(b"BAD", b"ok"), content_type).status == 202
    assert post(pixel, bodies[content_type].replace(b"EVENT", event).replace(b"BAD", text), content_type).status == 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le"])
def test_other_encodings_are_refused(pixel: Pixel, encoding: str) -> None:
    assert post(pixel, json.dumps({"data": [purchase()]}).encode(encoding)).status == 400


# --- Forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"\\ud83d", "half of one"),
        (b"caf\\u00e9 \\ud83dx", "half of one"),
        (b"\\ude00\\ud83d", "half of one"),
        (b"\xf0\x9f", "half of one"),
        (b"\xe9", "half of one"),
        (b"\xed\xa0\xbd", "half of one"),
        (b"\\u0000", "NUL"),
        (b"\\\\\\u0000", "NUL"),
    ],
)
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"data": [EVENT, {"event_name": "BAD"}]}', "data[1].event_name"),
        ('{"data": [EVENT, {"user_data": {"fn": ["a", "BAD"]}}, EVENT]}', "data[1].user_data.fn[1]"),
        ('{"data": [EVENT, {"a": [[{"b c": {"d": "BAD"}}]]}]}', "data[1].a[0][0].….d"),
        ('{"data": [EVENT, {"custom_data": {"BAD": 1}}]}', "data[1].custom_data"),
        ('{"data": ["BAD"]}', "data[0]"),
        ('{"data": [EVENT], "partner_agent": "BAD"}', "partner_agent"),
        ('{"data": [EVENT], "BAD": 1}', "body"),
    ],
)
def test_half_a_character_is_named_by_event_and_field(
    pixel: Pixel, body: str, place: str, text: bytes, rule: str
) -> None:
    sent = body.replace("EVENT", json.dumps(purchase())).encode().replace(b"BAD", text)

    reply = post(pixel, sent)

    assert reply.status == 400
    assert reply.message.startswith(f"{place}: ")
    assert rule in reply.message
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("content_type", ["application/json", URLENCODED, MULTIPART_CONTENT])
def test_half_a_character_in_an_event_that_is_a_text_is_named_too(pixel: Pixel, content_type: str) -> None:
    bad = json.dumps(purchase()).replace("Purchase", "\\ud83d")
    as_texts, as_objects = json.dumps([json.dumps(purchase()), bad]), f"[{json.dumps(purchase())}, {bad}]"
    for data in (as_texts, as_objects):
        body = json.dumps({"data": data}).encode() if "json" in content_type else as_form(content_type, {"data": data})

        assert post(pixel, body, content_type).message.startswith("data[1].event_name: must be whole characters")


def test_whole_pairs_are_one_character_however_they_are_written(pixel: Pixel) -> None:
    body = json.dumps({"data": [purchase(custom_data={"content_name": "😀"})]})
    assert "\\ud83d\\ude00" in body

    assert post(pixel, body).status == 202
    assert stored(pixel)[0][0]["custom_data"]["content_name"] == "😀"


def test_a_place_far_down_is_found_without_much_memory(pixel: Pixel) -> None:
    deep = '{"' + "k" * 50 + '":'
    body = '{"data": [' + deep * 200 + "[" + "1," * 500_000 + '"\\ud83d"]' + "}" * 200 + "]}"
    tracemalloc.start()
    reply = post(pixel, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert reply.status == 400
    assert len(reply.message) < 500
    assert peak < 60_000_000


def as_form(content_type: str, fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode() if content_type == URLENCODED else encode_multipart(BOUNDARY, fields)


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART_CONTENT])
@pytest.mark.parametrize("events_as_strings", [False, True], ids=["list-of-events", "list-of-strings"])
def test_the_graph_apis_form_is_read(pixel: Pixel, content_type: str, events_as_strings: bool) -> None:
    """The list of strings is what Meta's Business SDK for Python sends."""
    events = [purchase(event_id="a", event_name="Achat terminé"), purchase(event_id="b")]
    data = json.dumps([json.dumps(event) for event in events] if events_as_strings else events)
    token = "EAABsecret"
    fields = {"data": data, "access_token": token, "test_event_code": "TEST1", "accessKey": pixel.access_key}

    reply = post(pixel, as_form(content_type, fields), content_type)

    assert (reply.status, reply.body["events_received"]) == (202, 2)
    assert stored(pixel) == [events]
    row = OutboxRow.objects.get()
    assert json.loads(row.options) == {"test_event_code": "TEST1"}
    assert token.encode() not in bytes(row.body) + row.options.encode()


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART_CONTENT])
def test_a_forms_access_key_is_checked(pixel: Pixel, content_type: str) -> None:
    fields = {"data": json.dumps([purchase()]), "accessKey": "wrong"}

    assert post(pixel, as_form(content_type, fields), content_type).status == 401


def test_strings_in_a_json_body_are_read_as_events(pixel: Pixel) -> None:
    event = purchase()

    assert post(pixel, json.dumps({"data": [json.dumps(event)]})).status == 202
    assert post(pixel, json.dumps({"data": json.dumps([event])})).status == 202
    assert stored(pixel) == [[event], [event]]


@pytest.mark.parametrize("bad", ["{", "1", '{"a": 1, "a": 2}', '"{}"', "[]"])
def test_a_bad_event_in_a_string_is_named(pixel: Pixel, bad: str) -> None:
    body = urlencode({"data": json.dumps([json.dumps(purchase()), bad])})

    reply = post(pixel, body, URLENCODED)

    assert reply.status == 400
    assert reply.message.startswith("data[1]: ")


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "multipart/x; boundary=a",
    ],
)
def test_a_multipart_form_without_its_boundary_is_refused(pixel: Pixel, content_type: str) -> None:
    assert post(pixel, encode_multipart(BOUNDARY, {"data": "[]"}), content_type).status == 400


# --- Anything at all -------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = ["event_name", "event_time", "event_id", "action_source", "event_source_url", "user_data", "custom_data"]
IDENTIFIERS = ["em", "ph", "fn", "ct", "st", "zp", "db", "ge", "country", "external_id", "client_user_agent", "fbp"]


@st.composite
def events(draw: st.DrawFn) -> Any:
    """A good event, in which some fields were replaced by anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    event = purchase(**draw(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=2)))
    if isinstance(event.get("user_data"), dict):
        event["user_data"] |= draw(st.dictionaries(st.sampled_from(IDENTIFIERS), anything, max_size=2))
    return event


bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode(errors="replace")),
    anything.map(lambda value: json.dumps(value).encode()),
    st.lists(events(), min_size=1, max_size=4).map(lambda found: json.dumps({"data": found}).encode()),
    st.lists(events(), min_size=1, max_size=4).map(lambda found: urlencode({"data": json.dumps(found)}).encode()),
    st.lists(events().map(json.dumps), max_size=4).map(lambda found: urlencode({"data": json.dumps(found)}).encode()),
)


@given(body=bodies, content_type=st.sampled_from(["application/json", URLENCODED, MULTIPART_CONTENT, "text/plain"]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_is_stored_or_refused(pixel: Pixel, body: bytes, content_type: str) -> None:
    OutboxRow.objects.all().delete()

    reply = post(pixel, body, content_type)

    assert reply.status in {202, 400, 401}
    assert OutboxRow.objects.count() == (reply.status == 202)
    if reply.status == 202:
        (kept,) = stored(pixel)
        assert len(kept) == reply.body["events_received"] == OutboxRow.objects.get().event_count
        assert all(isinstance(event["event_id"], str) and event["user_data"] for event in kept)
    else:
        assert reply.message.partition(": ")[2].endswith(".")


@given(unknown=anything, extra=st.dictionaries(st.text(max_size=10), anything, max_size=3))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fields_that_no_rule_speaks_of_stay_as_they_were(pixel: Pixel, unknown: Any, extra: dict[str, Any]) -> None:
    OutboxRow.objects.all().delete()
    event = {**extra, **purchase(), "unknown": unknown, "custom_data": {"currency": "EUR", "unknown": unknown}}

    if post(pixel, json.dumps({"data": [event]})).status == 202:
        assert stored(pixel) == [[event]]
    else:  # no JSON, or nothing that every reader of JSON reads alike
        text = json.dumps(event)
        assert any(bad in text for bad in ("NaN", "Infinity", "\\u0000", "\\ud")) or _has_huge_integer(event)


def _has_huge_integer(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_huge_integer, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**63) <= value < 2**64


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.binary(max_size=20))
def test_a_form_is_read_as_urllib_reads_it(pairs: list[tuple[str, str]], junk: bytes) -> None:
    """Escaped or not, whole or damaged."""
    junk = junk.replace(b"&", b"").replace(b";", b"")
    form = urlencode(pairs).encode() + b"&x=" + junk + b"&" + junk.replace(b"%", b"\\") + b"%%4%zz\\x41\\"
    try:
        expected = dict(parse_qsl(form.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        expected = None
    try:
        found = server_body._urlencoded(form)
    except ValueError:
        found = None

    assert found == expected
