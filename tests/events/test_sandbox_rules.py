"""What Meta is known to refuse, the sandbox refuses: a trial that is green stays green."""

from __future__ import annotations

import time
from typing import Any

import pytest

from events.delivery.graph_errors import Blame, blame
from events.sandbox import GraphError, rules
from tests.events.test_sandbox import purchase

WHO = {"client_user_agent": "Browser", "em": ["a" * 64]}
BOUGHT = {"currency": "EUR", "value": 9.5}
FBCLID = "fb.1.1596403881668.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDGrc"
APP = {"advertiser_tracking_enabled": True, "application_tracking_enabled": 1, "extinfo": ["a2", *[""] * 15]}


def refusal(**changes: Any) -> GraphError | None:
    """How an event is refused."""
    try:
        rules.check_events([purchase(**changes)])
    except GraphError as error:
        return error
    return None


REFUSED_PEOPLE: dict[str, list[Any]] = {
    "client_ip_address": [
        "203.0.113.7, 198.51.100.1",
        "not an ip",
        "",
        "203.0.113",
        "203.0.113.7:80",
        ["203.0.113.7"],
        7,
    ],
    "client_user_agent": ["", 7, ["Browser"]],
    "fbc": ["fb.1.1596403881668.", "fb.1.1596403881668", "IwAR2F4", "fb.1.1596403881668.undefined", "", [FBCLID]],
    "fbp": ["undefined", "1116446470", "fb.1.1596403881668", "", 7, ["fb.1.1596403881668.1116446470"]],
    "em": [
        "ada@example.com",
        "a" * 64 + ".x",
        "",
        [],
        [None],
        ["a" * 64, "ada@example.com"],
        "a" * 32,
        7,
    ],
    "ph": ["15551234567", {"a": 1}],
    "fi": ["a"],
    "external_id": ["", [], [""], [None], True, 1.5, {"id": 1}],
    "lead_id": [1, "lead", "1234567890"],
    "email": ["a" * 64],
    "ip": ["203.0.113.7"],
    "": ["x"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED_PEOPLE.items() for value in values]
)
def test_a_bad_or_unknown_parameter_of_the_customer_is_refused(name: str, value: Any) -> None:
    error = refusal(user_data=WHO | {name: value})

    assert error is not None
    assert (error.code, error.http_status) == (100, 400)
    assert f"param data[0]['user_data']['{name}'] " in error.message
    assert blame(error.code, error.subcode) is Blame.EVENT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_ip_address", "203.0.113.7"),
        ("client_ip_address", "2001:db8::1"),
        ("fbc", FBCLID),
        ("fbc", f"{FBCLID}.AQYCAQAA"),
        ("fbp", "fb.1.1596403881668.1116446470"),
        ("fbp", "fb.1.1596403881668.1116446470.AQ"),
        ("fbp", None),
        ("external_id", "ada"),
        ("external_id", ["ada", 17]),
        ("lead_id", 123456789012345),
        ("subscription_id", "s"),
        ("em", "A" * 64),
        ("em", ["a" * 64 + ".AQ"]),
    ],
)
def test_a_good_parameter_of_the_customer_is_taken(name: str, value: Any) -> None:
    assert refusal(user_data=WHO | {name: value}) is None


REFUSED_CUSTOM_DATA: dict[str, list[Any]] = {
    "contents": ['[{"id": "shoe", "quantity": 1}]', {"id": "shoe"}, ["shoe"], [{"id": "shoe"}, None]],
    "content_ids": ["shoe", '["shoe"]', [None], [{"id": "shoe"}]],
    "content_type": [7],
    "currency": ["Euro", "€", "EU", "XYZ", "", 978],
    "value": ["a lot", "1,50", "9.50 EUR", "", -1, True, [1], "1e3", "-1"],
    "predicted_ltv": ["much"],
    "num_items": ["two", 1.5, -1],
    "delivery_category": ["post"],
    "order_id": [{"id": 1}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED_CUSTOM_DATA.items() for value in values]
)
def test_bad_custom_data_is_refused(name: str, value: Any) -> None:
    error = refusal(custom_data=BOUGHT | {name: value})

    assert error is not None
    assert f"param data[0]['custom_data']['{name}'] " in error.message


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"quantity": 1},
        {"id": "shoe", "name": "Shoe"},
        {"id": "shoe", "quantity": "two"},
        {"id": "a", "item_price": "x"},
    ],
)
def test_a_bad_item_of_the_contents_is_refused(content: dict[str, Any]) -> None:
    error = refusal(custom_data=BOUGHT | {"contents": [{"id": "sock", "quantity": 2, "item_price": 1.5}, content]})

    assert error is not None
    assert "param data[0]['custom_data']['contents'][1]" in error.message


@pytest.mark.parametrize(
    ("custom_data", "subcode"),
    [(None, 2804010), ({}, 2804010), ({"value": 9.5}, 2804010), ({"currency": "EUR"}, 2804009)],
)
def test_a_purchase_needs_currency_and_value(custom_data: Any, subcode: int) -> None:
    error = refusal(custom_data=custom_data)

    assert error is not None
    assert (error.code, error.subcode) == (100, subcode)
    assert refusal(custom_data=custom_data, event_name="Lead") is None


def test_an_advertisers_own_custom_data_is_taken() -> None:
    contents = [{"id": 7, "quantity": "2", "item_price": "9.5", "delivery_category": "in_store", "title": "Shoe"}]

    assert (
        refusal(custom_data={"currency": "eur", "value": "9.50", "contents": contents, "colour": {"hex": "f00"}})
        is None
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("opt_out", "true"),
        ("opt_out", 1),
        ("event_name", "x" * 51),
        ("event_source_url", "shop.example.com"),
        ("event_id", 7),
        ("custom_data", [1]),
        ("custom_data", "{}"),
        ("data_processing_options", "LDU"),
        ("data_processing_options", ["GDPR"]),
        ("data_processing_options_country", "US"),
        ("messaging_channel", "sms"),
        ("action_source", "web"),
        ("action_source", ["website"]),
        ("advertiser_tracking_enabled", True),
        ("eventName", "Purchase"),
    ],
)
def test_a_bad_or_unknown_parameter_of_the_event_is_refused(name: str, value: Any) -> None:
    error = refusal(**{name: value})

    assert error is not None
    assert f"param data[0]['{name}'] " in error.message


def test_limited_data_use_is_taken() -> None:
    options = {"data_processing_options": ["LDU"], "data_processing_options_country": 1}

    assert refusal(**options, data_processing_options_state=1000, opt_out=False) is None
    assert refusal(data_processing_options=[]) is None


@pytest.mark.parametrize(
    "app_data", [None, {}, APP | {"extinfo": ["a2"]}, APP | {"advertiser_tracking_enabled": "yes"}]
)
def test_an_app_tells_of_its_device(app_data: Any) -> None:
    error = refusal(action_source="app", app_data=app_data)

    assert error is not None
    assert "['app_data']" in error.message
    assert refusal(action_source="app", app_data=APP) is None


def test_a_message_tells_of_its_channel() -> None:
    who = WHO | {"page_id": "1"}
    subcodes = [
        getattr(refusal(action_source="business_messaging", **changes), "subcode", None)
        for changes in (
            {"user_data": who},
            {"messaging_channel": "whatsapp"},
            {"messaging_channel": "whatsapp", "user_data": who},
        )
    ]

    assert subcodes == [2804063, 2804116, None]


@pytest.mark.parametrize(
    "names", [["ct", "country", "client_user_agent"], ["fn", "ge"], ["ge"], ["db", "client_user_agent"]]
)
def test_what_fits_too_many_people_is_too_little(names: list[str]) -> None:
    user_data = {name: "Browser" if name == "client_user_agent" else "a" * 64 for name in names}
    error = refusal(action_source="email", user_data=user_data)

    assert error is not None
    assert error.subcode == 2804050


@pytest.mark.parametrize("user_data", [{}, None, [], "ada", {"em": None, "client_user_agent": None}])
def test_nothing_is_too_little(user_data: Any) -> None:
    error = refusal(user_data=user_data)

    assert error is not None
    assert error.subcode == 2804050


def test_no_value_is_quoted() -> None:
    error = refusal(user_data=WHO | {"em": "ada@example.com"})

    assert error is not None
    assert "ada@" not in f"{error.message}{error.user_message}"


def test_what_the_sdk_sends_is_known() -> None:
    """Meta's own library names its parameters."""
    names = ("event", "user_data", "custom_data", "content")
    of_event, of_user, of_custom, of_content = (
        pytest.importorskip(f"facebook_business.adobjects.serverside.{name}") for name in names
    )
    event = of_event.Event(
        event_name="Purchase",
        event_time=int(time.time()),
        event_id="1",
        event_source_url="https://shop.example.com/",
        action_source=of_event.ActionSource.WEBSITE,
        user_data=of_user.UserData(
            emails=["ada@example.com"],
            phones=["+1 555 123 45 67"],
            genders=[of_user.Gender.FEMALE],
            first_name="Ada",
            last_name="Lovelace",
            city="London",
            state="ca",
            zip_code="94035",
            country_code="us",
            date_of_birth="18151210",
            external_id="ada",
            client_ip_address="203.0.113.7",
            client_user_agent="Browser",
            fbp="fb.1.1596403881668.1116446470",
            fbc=FBCLID,
            f5first="ada",
            f5last="lovel",
            fi="a",
            dobd="10",
            dobm="12",
            doby="1815",
            madid="38400000-8cf0-11bd-b23e-10b96e40000d",
            anon_id="1",
            subscription_id="2",
            fb_login_id="3",
        ),
        custom_data=of_custom.CustomData(
            value=9.5,
            currency="usd",
            content_ids=["shoe"],
            contents=[of_content.Content(product_id="shoe", quantity=1, item_price=9.5, title="Shoe", brand="B")],
            order_id="1",
            num_items=1,
            custom_properties={"colour": "red"},
        ),
        opt_out=False,
        data_processing_options=["LDU"],
        data_processing_options_country=1,
        data_processing_options_state=1000,
        referrer_url="https://example.com/",
    )
    assert rules.check_events([event.normalize()])
