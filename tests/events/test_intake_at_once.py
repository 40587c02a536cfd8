"""Events are checked all at once where that will do. It must come to the same as one by one."""

from __future__ import annotations

import hashlib
import json
import re
from copy import deepcopy
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from uuid import UUID

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.errors import InvalidInput
from events.intake import strict_json
from events.intake.checks import prepare_events
from events.intake.event_list import EventList
from events.intake.hashing.user_data import RULES, are_hashes, hash_identifiers
from events.intake.notes import Notes
from events.intake.server_body import parse
from events.intake.tables import Table
from events.parameters.table import ACTION_SOURCES, CUSTOM_DATA, EVENT, USER_DATA
from tests.cost import seconds_of
from tests.events.sending import EMAIL_HASH

NOW = 1_760_000_000
WEEK = 7 * 86_400
MISSING = object()

ORDINARY: dict[str, Any] = {
    "event_name": "Purchase",
    "event_time": NOW - 60,
    "event_id": "order-1",
    "action_source": "website",
    "event_source_url": "https://shop.example.com/thanks",
    "user_data": {"em": [EMAIL_HASH], "client_user_agent": "Mozilla/5.0"},
}

texts = st.text(st.characters(codec="utf-8"), max_size=4)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
TEXTS = ["", "x" * 50, "x" * 51, "x" * 100, "x" * 101, "a\n", "a\x7f", "a\xa0b", "\u202e", "a\x85", '"', "é", 7, None]
HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()
IDENTIFIERS: list[Any] = [
    EMAIL_HASH,
    HASH_OF_NOTHING,
    HASH_OF_NOTHING.upper(),
    f"{HASH_OF_NOTHING}.AQ",
    EMAIL_HASH[:32],
    EMAIL_HASH.upper(),
    f"{EMAIL_HASH}.AQ",
    EMAIL_HASH[:-1],
    EMAIL_HASH[:-1] + "é",
    EMAIL_HASH[:-1] + "g",
    "ada@example.com",
    "",
    None,
    True,
    4930123456,
    {f"{number:02}": number for number in range(64)},
    "x" * 501,
]
IDS: list[Any] = [
    *(
        "u1",
        "Ada 1",
        "guest",
        "GUEST",
        "Undefined ",
        "(null)",
        "0",
        "0.0",
        "-",
        "",
        "n.a.",
        "a\nguest",
        "__id__",
        "{id}",
    ),
    *("\ufeffnull", "ünull", HASH_OF_NOTHING, f"{HASH_OF_NOTHING}.AQYCAQAA", EMAIL_HASH, 0, 7, 1.5, True, None, {}),
]
LISTS = [[], ["a"] * 21, [EMAIL_HASH] * 21, *([EMAIL_HASH, value] for value in IDENTIFIERS)]
FBP: list[Any] = ["fb.1.1700000000000.1234567890", "fb.1.1700000000000", "fb.1.x.1", "", "undefined", None, 1, []]
CLICK_IDS: list[Any] = [
    *("IwAR0AbCdEf-123_xyzABCDEFGHIJ", "abc", "", "undefined", "null", "0", "a b", "a.AQ", "{{fbclid}}", "-" * 30),
    *(EMAIL_HASH, sha256(b"undefined").hexdigest(), sha256(b"").hexdigest().upper(), "a" * 500, "z" * 501, "a\nb"),
]
ADDRESSES: list[Any] = [
    *(
        "203.0.113.9",
        "10.0.0.1",
        "2001:db8::1",
        "::ffff:203.0.113.9",
        " 203.0.113.9\n",
        "203.0.113.9:80",
        "[2001:db8::1]",
    ),
    *("203.0.113.09", "203.0.113", "fe80::1%eth0", "unknown", "203.0.113.9, 198.51.100.2", "203.0.113.9 2001:db8::1"),
    *("203.0.113.9, unknown", "٣.0.0.1", "1.2.3.4\0"),
]
CONTENTS: list[Any] = [[], [{}], [{"id": "a"}, {"accessKey": "k"}], ["a"], "[]", {}]
CONTENT_IDS: list[Any] = [["a", 1], "a", [], "", {}, [{}], ["accessKey"]]
CURRENCIES: list[Any] = ["EUR", " eur ", "Euro", "", None, [], ["EUR"]]
QUANTITIES: list[Any] = [1, "1", 1.5, -1, "x", None]
DELIVERIES: list[Any] = ["in_store", " In_Store", "post", "", 1, None, []]
#: By path: what matters there.
ODD: dict[str, list[Any]] = {
    "event_name": TEXTS,
    "event_time": [
        *(NOW + seconds for seconds in (-WEEK, 1 - WEEK, 600, 601)),
        *(float(NOW), str(NOW), True, 0, -NOW, NOW * 1000, None, [NOW]),
    ],
    "event_id": TEXTS,
    "action_source": [*ACTION_SOURCES, "Website", "web", None, ["app"], {}],
    "event_source_url": [
        *("http://x", "HTTPS://x", "https://", "https:///x", "https:// x", "ftp://x", "https://x\n", "https://x\x7f"),
        *("https://x\x85", "http://é", "", "x", 7, None, ["https://x"]),
    ],
    "user_data": [{}, [], "x", None, {"external_id": "u1"}, {"em": "ada@example.com"}, {"em": None}],
    "user_data.client_user_agent": ["", "a\nb", "é", 7, None, ["x"]],
    "user_data.em": [*IDENTIFIERS, *LISTS],
    "user_data.ph": [*IDENTIFIERS, *LISTS],
    "user_data.external_id": [*IDS, [], *([value] for value in IDS), *(["u1", value] for value in IDS)],
    "custom_data": [
        *({"content_name": text} for text in ("Größe", '"XL"', "\x7f")),
        *({"contents": value} for value in CONTENTS),
        *({"currency": value} for value in CURRENCIES),
        *({"content_ids": value} for value in CONTENT_IDS),
        *({"delivery_category": value} for value in DELIVERIES),
        *({"contents": [{"id": "a", "quantity": value}]} for value in QUANTITIES),
        {"contents": [{"quantity": 1}, {"id": 1.5}, {"id": ""}]},
        *({"a": {"b": value}} for value in (1, {"access_token": "t"}, [{"appsecret_proof": "p"}], "access_token")),
        *({"accessKey": "k"}, [], "x", None),
    ],
    "opt_out": [True, False, 0, 1, "true", "No", "maybe", "", None, [], 1.0],
    "data_processing_options": [[], ["LDU"], "LDU", "", [1], {}, None],
    "access_token": ["t", None],
    "user_data.fbp": [
        *FBP,
        *(f"{FBP[0]}{end}" for end in (".AQ", ".abcdefgh", ".abc", "\n", f"\n{FBP[0]}")),
        " " + FBP[0],
    ],
    "user_data.fbc": [f"fb.1.1700000000000.{click_id}" for click_id in CLICK_IDS] + ["", "fb.1.1.", "x", None, 1, []],
    "user_data.client_ip_address": [*ADDRESSES, "", None, 1, [], [ADDRESSES[0]]],
    "user_data.lead_id": ["a", 1, "", None, 1.5, True, {}, [], "l:1234567890123456", 1234567890123456],
    "user_data.page_id": ["a", 1, "", None, 1.5, 2.0, True, {}, []],
    "referrer_url": ["a", 1, "", None, 1.5, 2.0, True, {}, []],
    "messaging_channel": ["whatsapp", "WhatsApp", "sms", 1, "", None, []],
    "app_data": [{"advertiser_tracking_enabled": value, "extinfo": ["a2"] * 16} for value in (1, 0, True, "yes", 2)],
    "app_data.extinfo": [["a2"], ["i2"] * 16, "a2", None],
}
for number in (
    "data_processing_options_state",
    *("custom_data." + name for name in ("value", "net_revenue", "num_items")),
):
    ODD[number] = [0, -1.5, 1e300, "1", " 1 ", "1.5", ".5", "1,5", "1e3", "NaN", "٣", "$1", "", None, True, [], "1\n"]
changes = st.sampled_from(sorted(ODD)).flatmap(
    lambda path: st.tuples(st.just(path), st.sampled_from([*ODD[path], MISSING]) | anything)
)


def changed(made: list[tuple[str, Any]]) -> dict[str, Any]:
    """An ordinary event but for these values at these paths."""
    event = deepcopy(ORDINARY)
    for path, value in made:
        parent, _, field = path.rpartition(".")
        target = event.get(parent) if parent else event
        if value is not MISSING and isinstance(target, dict):
            target[field] = value
        elif isinstance(target, dict):
            target.pop(field, None)
    return event


def outcome(sent: list[Any], written: bytes) -> Any:
    """What is stored of the events and told of them, or why they are refused."""
    with (
        patch("events.intake.checks.time.time", lambda: NOW + 0.5),
        patch("events.intake.event_ids.uuid.uuid4", lambda: UUID(int=1)),
    ):
        try:
            notes = Notes()
            return json.loads(prepare_events(EventList(deepcopy(sent), written), notes)), notes.messages, notes.left_out
        except InvalidInput as error:
            return error.message


def test_every_optional_field_that_has_a_rule_of_its_own_is_tried() -> None:
    rules = {id(rule): rule for rules in (EVENT, USER_DATA, CUSTOM_DATA) for rule in rules.values()}
    tried = {path.rpartition(".")[2] for path in ODD} | {"contents", "currency", "content_ids", "delivery_category"}

    for rule in rules.values():
        fields = {field for rules in (EVENT, USER_DATA, CUSTOM_DATA) for field in rules if rules[field] is rule}
        assert fields & tried, fields


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("source", ["website", "app"])
def test_all_at_once_comes_to_the_same_as_one_by_one(path: str, source: str) -> None:
    for value in [*ODD[path], MISSING]:
        sent = [ORDINARY, changed([("action_source", source), (path, value)])]
        assert outcome(sent, orjson.dumps(sent)) == outcome(sent, b"")


@given(st.lists(st.lists(changes, max_size=2).map(changed), min_size=2, max_size=3))
@settings(max_examples=300, deadline=None)
def test_so_it_does_whatever_is_odd_of_whichever_events(sent: list[Any]) -> None:
    assert outcome(sent, orjson.dumps(sent)) == outcome(sent, b"")


@given(anything)
@settings(deadline=None)
def test_so_it_does_of_what_is_no_event(value: Any) -> None:
    assert outcome([ORDINARY, value], orjson.dumps([ORDINARY, value])) == outcome([ORDINARY, value], b"")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"event_name": "Achat terminé"},
        {"custom_data": {"content_name": '"XL"'}},
        {"action_source": "app", "user_data": {"page_id": 1}},
        {"user_data": {"em": EMAIL_HASH, "ph": [EMAIL_HASH] * 21, "client_user_agent": "x"}},
    ],
)
def test_what_is_complete_is_stored_as_it_is_written(change: dict[str, Any]) -> None:
    sent = [ORDINARY, ORDINARY | change]
    written = orjson.dumps(sent)

    with patch("events.intake.checks.time.time", lambda: NOW), patch("events.intake.checks._complete") as one_by_one:
        assert prepare_events(EventList(sent, written), Notes()) is written
    assert not one_by_one.called


def test_what_lacks_nothing_but_hashes_is_hashed() -> None:
    sent = [ORDINARY, deepcopy(ORDINARY) | {"user_data": {"em": "john_smith@gmail.com", "client_user_agent": "x"}}]

    with patch("events.intake.checks.time.time", lambda: NOW), patch("events.intake.checks._complete") as one_by_one:
        stored = json.loads(prepare_events(EventList(sent, orjson.dumps(sent)), Notes()))

    assert [event["user_data"]["em"] for event in stored] == [[EMAIL_HASH], EMAIL_HASH]
    assert not one_by_one.called


@pytest.mark.parametrize("value", [*IDENTIFIERS, *LISTS])
def test_what_counts_as_hashed_is_not_changed(value: Any) -> None:
    person = {"em": value}
    if are_hashes(Table([person])):
        hash_identifiers(person)
        assert person == {"em": value}


@pytest.mark.parametrize("field", RULES)
def test_what_is_to_be_hashed_is_found_among_what_is_hashed(field: str) -> None:
    hashed: list[dict[str, Any]] = [{"em": EMAIL_HASH}, {"ph": [EMAIL_HASH, EMAIL_HASH]}, {"external_id": "u1"}]

    assert are_hashes(Table(hashed))
    assert not are_hashes(Table([*hashed, {field: [EMAIL_HASH, "ada@example.com"]}]))


# --- What is written -------------------------------------------------------------------------------------------------


@given(
    before=st.dictionaries(texts, anything, max_size=2),
    after=st.dictionaries(texts, anything, max_size=2),
    data=st.lists(anything.filter(lambda value: not isinstance(value, str)), min_size=2, max_size=3),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    is_ascii=st.booleans(),
    is_text=st.booleans(),
)
@settings(deadline=None)
def test_what_is_written_are_the_events(
    before: dict[str, Any],
    after: dict[str, Any],
    data: list[Any],
    separators: tuple[str, str],
    is_ascii: bool,
    is_text: bool,
) -> None:
    sent = json.dumps(data) if is_text else data
    body = json.dumps({**before, "data": sent, **after}, separators=separators, ensure_ascii=is_ascii)
    assume("data" not in before | after and "u0000" not in body)

    content = parse(body.encode(), "", Notes())

    assert content.sent.written == orjson.dumps(content.sent.events)
    assert content.sent.events == data


def test_events_that_come_one_by_one_are_not_written_together() -> None:
    content = parse(orjson.dumps({"data": [json.dumps(ORDINARY), ORDINARY]}), "", Notes())

    assert (content.sent.events, content.sent.written) == ([ORDINARY, ORDINARY], b"")


@given(st.lists(st.sampled_from(["\\", "\\\\", "u003a", "\\u003A", ":", "u0000", "\\u0000", "x", '\\"']), max_size=12))
def test_behind_an_escaped_backslash_stands_no_escape(parts: list[str]) -> None:
    text = "".join(parts).encode()

    colons = len(re.findall(rb"(?<!\\)(?:\\\\)*\\u003[aA]", text))
    nuls = len(re.findall(rb"(?<!\\)(?:\\\\)*\\u0000", text))

    assert strict_json._count(strict_json._ESCAPED_COLON, text) == colons
    assert strict_json._count(strict_json._ESCAPED_NUL, text) == nuls


@pytest.mark.parametrize("text", [b"\\/", b"\\u00e9", b"\\\\", b"\\u003a", b"\\\\u003a", b'\\"'])
def test_escapes_take_little_time(text: bytes) -> None:
    """To look for colons among PHP's escaped slashes took ten times as long as all else of a request."""
    body = b'{"data": ["' + text * (1_000_000 // len(text)) + b'"]}'
    plain = b'{"data": ["' + b"x" * 1_000_000 + b'"]}'
    assert _seconds(body) < 20 * _seconds(plain) + 0.02


def _seconds(body: bytes) -> float:
    """What it takes to refuse the body."""

    def refuse() -> None:
        with pytest.raises(InvalidInput, match="data"):
            parse(body, "", Notes())

    return seconds_of(refuse)
