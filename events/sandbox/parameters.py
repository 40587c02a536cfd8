"""The parameters of an event that Meta knows, and what each must look like.

After the reference of the Conversions API ("Server event parameters", "Customer information parameters", "Custom data
parameters", "App data parameters"), the fields of Meta's SDKs, and refusals that people report. Where these leave it
open whether Meta takes a value, the rule here is the narrower one: what the sandbox takes, Meta takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from ipaddress import ip_address
from typing import Any, NamedTuple

from babel.core import get_global
from babel.numbers import get_territory_currencies

from events.intake.identifiers import is_fbc, is_fbp

#: "Server side API parameter error": Meta's subcode for most of these.
PARAMETER_ERROR = 2804019
INVALID_LEAD_ID = 2804036
INVALID_DEVICE_INFO = 2804043

ACTION_SOURCES = frozenset(
    {
        "app",
        "business_messaging",
        "chat",
        "email",
        "other",
        "phone_call",
        "physical_store",
        "system_generated",
        "website",
    }
)
EVENT_NAME_MAX_LENGTH = 50

# Meta's parameter builder puts an appendix behind a dot.
_SHA256 = re.compile(r"[0-9a-fA-F]{64}(\..+)?")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_LEAD_ID = re.compile(r"\d{15,17}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


class Rule(NamedTuple):
    """What a parameter must be, in words, and the subcode of Meta's refusal, where it has one."""

    holds: Callable[[Any], bool]
    words: str
    subcode: int | None = PARAMETER_ERROR


class Breach(NamedTuple):
    """A parameter that is not as it must be."""

    path: tuple[str | int, ...]
    words: str
    subcode: int | None


def breach(fields: Mapping[str, Any], rules: Mapping[str, Rule], *, closed: bool = True) -> Breach | None:
    """The first parameter that breaks its rule, or that no rule knows where these are all (``closed``).

    A null is a parameter that was not given.
    """
    for name, value in fields.items():
        rule = rules.get(name)
        if rule is None and closed:
            return Breach((name,), "is not a parameter that is known here.", PARAMETER_ERROR)
        if rule is not None and value is not None and not rule.holds(value):
            return Breach((name,), rule.words, rule.subcode)
    return None


def is_text(value: object) -> bool:
    """Is it a text of at least one character?"""
    return isinstance(value, str) and value != ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_id(value: object) -> bool:
    return is_text(value) or _is_whole(value)


def _are_ids(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(map(_is_id, values))


def _is_list_of_ids(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_id, value))


def _is_hashed(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(each, str) and _SHA256.fullmatch(each) for each in values)


def _is_ip_address(value: object) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: object) -> bool:
    return (_is_whole(value) and _is_number(value)) or (isinstance(value, str) and value.isascii() and value.isdigit())


@cache
def _currencies() -> frozenset[str]:
    """What some country pays with today; no metals, no funds."""
    countries = get_global("territory_currencies")
    return frozenset(currency for country in countries for currency in get_territory_currencies(country))


def _is_currency(value: object) -> bool:
    return isinstance(value, str) and value.upper() in _currencies()


def _one_of(choices: Collection[str]) -> Rule:
    words = f"must be one of {', '.join(sorted(choices))}."
    return Rule(lambda value: isinstance(value, str) and value in choices, words)


def _of_type(kind: type, words: str) -> Rule:
    return Rule(lambda value: isinstance(value, kind), words)


_ANY = Rule(lambda value: True, "")
_TEXT = _of_type(str, "must be a text.")
_FILLED_TEXT = Rule(is_text, "must be a text that is not empty.")
_ID = Rule(_is_id, "must be a text or a whole number.")
_AMOUNT = Rule(_is_number, "must be a number, not below zero.")
_OBJECT = _of_type(dict, "must be an object.")
_FLAG = Rule(lambda value: value in (True, False) and isinstance(value, int), "must be a boolean, or 0 or 1.")
_WHOLE = Rule(_is_whole, "must be a whole number.")
_DELIVERY = _one_of({"in_store", "curbside", "home_delivery"})

EVENT = {
    "event_time": _ANY,  # checked in rules.py, as is user_data
    "user_data": _ANY,
    "custom_data": _OBJECT,
    "event_name": Rule(
        lambda value: is_text(value) and len(value) <= EVENT_NAME_MAX_LENGTH,
        f"must be a text of 1 to {EVENT_NAME_MAX_LENGTH} characters.",
    ),
    "action_source": _one_of(ACTION_SOURCES),
    "event_id": _TEXT,
    "event_source_url": Rule(
        lambda value: isinstance(value, str) and _WEB_ADDRESS.fullmatch(value) is not None,
        "must be an http or https address.",
    ),
    "referrer_url": _TEXT,
    "opt_out": _of_type(bool, "must be a boolean."),
    "data_processing_options": Rule(
        lambda value: isinstance(value, list) and all(each in ("LDU", "") for each in value),
        "must be a list: empty, or of LDU.",
    ),
    "data_processing_options_country": _WHOLE,
    "data_processing_options_state": _WHOLE,
    "app_data": _OBJECT,
    "attribution_data": _OBJECT,
    "original_event_data": _OBJECT,
    "customer_segmentation": _OBJECT,
    "advanced_measurement_table": _TEXT,
    "messaging_channel": _one_of({"instagram", "messenger", "whatsapp"}),
}

#: Contact information, which Meta takes as SHA-256 only.
_HASHED = ("em", "ph", "fn", "ln", "ct", "st", "zp", "ge", "db", "country")
#: Parts of the above that Meta's SDKs hash, too.
_HASHED_PARTS = ("f5first", "f5last", "fi", "dobd", "dobm", "doby")
_IDS = ("subscription_id", "fb_login_id", "anon_id", "madid", "partner_id", "partner_name")
_MESSAGING_IDS = (
    "ctwa_clid",
    "page_id",
    "page_scoped_user_id",
    "ig_account_id",
    "ig_sid",
    "whatsapp_business_account_id",
)

USER_DATA = {
    **dict.fromkeys((*_HASHED, *_HASHED_PARTS), Rule(_is_hashed, "must be hashed with SHA-256.")),
    **dict.fromkeys((*_IDS, *_MESSAGING_IDS), _ID),
    "external_id": Rule(_are_ids, "must be a text that is not empty, or a list of them."),
    "client_ip_address": Rule(_is_ip_address, "must be one address, of IPv4 or IPv6."),
    "client_user_agent": _FILLED_TEXT,
    "fbc": Rule(
        lambda value: isinstance(value, str) and is_fbc(value),
        "must have the form fb.<subdomain index>.<creation time>.<fbclid>.",
    ),
    "fbp": Rule(
        lambda value: isinstance(value, str) and is_fbp(value),
        "must have the form fb.<subdomain index>.<creation time>.<random number>.",
    ),
    "lead_id": Rule(
        lambda value: _is_id(value) and _LEAD_ID.fullmatch(str(value)) is not None,
        "must be a number of 15 to 17 digits.",
        INVALID_LEAD_ID,
    ),
}

#: Others are an advertiser's own.
CUSTOM_DATA = {
    "currency": Rule(_is_currency, "must be a currency code of ISO 4217.", None),
    "value": Rule(_is_number, "must be a number, not below zero.", None),
    "predicted_ltv": _AMOUNT,
    "net_revenue": _AMOUNT,
    "num_items": Rule(_is_count, "must be a whole number, not below zero."),
    "contents": Rule(
        lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
        "must be a list of objects.",
    ),
    "content_ids": Rule(_is_list_of_ids, "must be a list of texts or whole numbers."),
    "content_type": _TEXT,
    "content_name": _TEXT,
    "content_category": _TEXT,
    "search_string": _TEXT,
    "order_id": _ID,
    "delivery_category": _DELIVERY,
}

CONTENT = {
    "id": _ID,
    "quantity": Rule(_is_count, "must be a whole number, not below zero."),
    "item_price": _AMOUNT,
    "title": _TEXT,
    "description": _TEXT,
    "brand": _TEXT,
    "category": _TEXT,
    "delivery_category": _DELIVERY,
}

_EXTINFO_LENGTH = 16

#: What an app must tell of itself; the rest is open.
APP_DATA = {
    "advertiser_tracking_enabled": _FLAG,
    "application_tracking_enabled": _FLAG,
    "extinfo": Rule(
        lambda value: isinstance(value, list) and len(value) == _EXTINFO_LENGTH and value[0] in ("a2", "i2"),
        "must be a list of 16 values, of which the first is a2 or i2.",
        INVALID_DEVICE_INFO,
    ),
}
