"""What the intake lets through, the sandbox takes: nothing is accepted with 202 that is known to be refused later."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from events.intake.checks import prepare_events
from events.intake.event_list import EventList
from events.intake.hashing.user_data import RULES
from events.intake.notes import Notes
from events.parameters import table
from events.sandbox import GraphError
from events.sandbox.rules import check_events

FBP, FBC = "fb.1.1700000000000.1234567890", "fb.1.1700000000000.IwAR0AbCdEfGhIjKlMnOpQrStUv"
ORDINARY: dict[str, Any] = {
    "event_name": "Lead",
    "event_id": "order-1",
    "action_source": "website",
    "event_source_url": "https://shop.example.com/thanks",
    "user_data": {"em": "ada@example.com", "client_user_agent": "Mozilla/5.0"},
    "custom_data": {"currency": "EUR", "value": 19.99, "contents": [{"id": "sku"}]},
    "app_data": {"advertiser_tracking_enabled": 1, "application_tracking_enabled": 1, "extinfo": ["a2", *[""] * 15]},
}
#: Meta's subcodes for what an event of this kind needs and the contract does not ask for: such an event passes, since a
#: refusal would cost the whole request (docs/decisions/0017-left-out.md).
WANTED = {
    2804010: "a Purchase without a currency, or with an unusable one",
    2804009: "a Purchase without a value, or with an unusable one",
    2804050: "user_data that fits too many people, perhaps after something was left out",
    2804063: "a message without its channel, or with an unknown one",
    2804116: "a message that names no business",
}

near = st.sampled_from(
    [
        *(
            "",
            " ",
            "a",
            "sku1",
            "sku1,sku2",
            "undefined",
            "None",
            "true",
            "1",
            "-1",
            "1.5",
            "1e5",
            "1e999",
            "LDU",
            "ldu",
        ),
        *("l:123", "l:1234567890123456", "1234567890123456", "EUR", "eur", "Eur", "XXX", "/thanks", "https://x/a b"),
        *("203.0.113.9", "203.0.113.9:80", "[::1]", "fe80::1%eth0", "203.0.113.9, 198.51.100.2", FBP, FBC, "whatsapp"),
        *("in_store", "f", "19900216", "us", "12345678", "a" * 64, "a" * 64 + ".AQ", "a" * 64 + ".abc", "A" * 32),
        *(0, 1, -5, 1.5, 12.0, 1e300, -0.0, 2**60, 1234567890123456, True, False, None),
        *({"0": {"id": "a"}}, {"id": "a"}, {"0": "a"}, {}, [], ["a2", *[""] * 15]),
    ]
)
values = st.recursive(
    near | st.text(max_size=5) | st.integers(-5, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "quantity", "0"]), inner),
    max_leaves=4,
)
PLACES = {
    "": table.EVENT,
    "user_data": table.USER_DATA.keys() | RULES.keys() | {"external_id"},
    "custom_data": table.CUSTOM_DATA,
    "content": table.CONTENT,
    "app_data": table.APP_DATA,
}
changes = st.sampled_from(sorted((place, name) for place, names in PLACES.items() for name in names)).flatmap(
    lambda at: st.tuples(st.just(at), values)
)


def changed(made: list[tuple[tuple[str, str], Any]], **further: Any) -> dict[str, Any]:
    event = deepcopy(ORDINARY) | {"event_time": int(time.time()) - 60} | further
    parts = {
        "": event,
        **{name: event[name] for name in ("user_data", "custom_data", "app_data")},
        "content": event["custom_data"]["contents"][0],
    }
    for (place, name), value in made:
        parts[place][name] = deepcopy(value)
    return event


def refusal(*events: dict[str, Any]) -> GraphError | None:
    """The sandbox's, of what the intake has made of the events; None also where the intake refuses them."""
    try:
        stored = json.loads(
            prepare_events(EventList(list(events), json.dumps(events).encode() if len(events) > 1 else b""), Notes())
        )
    except InvalidInput:
        return None
    try:
        check_events(stored)
    except GraphError as error:
        return error
    return None


def is_wanted(error: GraphError) -> bool:
    needs_app_data = "['app_data']" in error.message and error.message.endswith(" is required.")
    return error.subcode in WANTED or needs_app_data


@given(
    st.lists(changes, max_size=4),
    st.sampled_from(table.ACTION_SOURCES),
    st.sampled_from(["Purchase", "Lead"]),
    st.booleans(),
)
def test_what_the_intake_accepts_the_sandbox_takes(
    made: list[tuple[tuple[str, str], Any]], source: str, name: str, several: bool
) -> None:
    event = changed(made, action_source=source, event_name=name)

    error = refusal(*[changed([])] * several, event)

    assert error is None or is_wanted(error), error


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        *(("user_data", "lead_id", value) for value in ("l:123", 1)),
        *(("", "event_source_url", value) for value in ("/thanks", "ftp://x")),
        *(("", name, 17) for name in ("referrer_url", "messaging_channel", "customer_segmentation")),
        *(("user_data", name, [0]) for name in ("client_user_agent", "partner_id", "partner_name")),
        ("user_data", "external_id", 1.5),
        *(("custom_data", name, {"a": 1}) for name in sorted(table.CUSTOM_DATA)),
        *(("custom_data", "value", value) for value in (-5, "1e5", "1e999")),
        *(("content", name, {"a": 1}) for name in sorted(table.CONTENT)),
    ],
)
def test_a_value_that_meta_refuses_costs_no_event(place: str, name: str, value: Any) -> None:
    event = changed([((place, name), value)], action_source="other")

    assert refusal(event) is None
    assert refusal(changed([]), event) is None


def test_the_differences_are_those_that_are_wanted() -> None:
    purchase = {"event_name": "Purchase", "action_source": "other"}
    message = {"action_source": "business_messaging"}
    broad = {"em": "none", "country": "de"}
    refused = [
        refusal(changed([(("custom_data", "currency"), "XXX")], **purchase)),
        refusal(changed([(("custom_data", "value"), -5)], **purchase)),
        refusal(changed([], action_source="other", user_data=broad)),
        refusal(changed([], **message)),
        refusal(changed([(("", "messaging_channel"), "whatsapp")], **message)),
    ]

    assert [error and error.subcode for error in refused] == [*WANTED]
