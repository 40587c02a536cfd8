"""The rules of parameters that have a form of their own: addresses, click ids, currencies, options of privacy."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from ipaddress import ip_address
from itertools import chain
from operator import itemgetter
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any
from urllib.parse import quote

from babel.core import get_global

from events.intake.identifiers import is_fbc, is_fbp
from events.intake.left_out import Reason
from events.parameters.rules import (
    Column,
    ParameterRule,
    Unusable,
    are_lists,
    are_texts_or_whole,
    because,
    refuse,
    stripped,
)

# --- Addresses -------------------------------------------------------------------------------------------------------

_between_addresses = re.compile(r"[\s,;|]+").split
_with_port = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}|\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?").fullmatch


def _are_addresses(values: Column) -> bool:
    try:
        for value in set(values):  # one visitor sends several events
            inet_pton(AF_INET6 if ":" in value else AF_INET, value)
    except (OSError, ValueError):
        return False
    return True


def _without_port(text: str) -> str:
    found = _with_port(text)
    return (found[1] or found[2]) if found else text


def _address(value: Any) -> str:
    """The one address that is there, also behind a port, in a list, or beside words such as "unknown"."""
    values = value if isinstance(value, list) else [value]
    parts = [_without_port(part) for one in values if isinstance(one, str) for part in _between_addresses(one)]
    found = [part for part in parts if _are_addresses([part])]
    if not found:
        raise because(value, Reason.NO_IP_ADDRESS)
    if len(set(map(ip_address, found))) > 1:
        raise Unusable(Reason.SEVERAL_IP_ADDRESSES)
    return found[0]


IP_ADDRESS = ParameterRule(_are_addresses, _address, "must be one address, of IPv4 or IPv6.")

#: So much of an address tells whether it is one.
_beginning = itemgetter(slice(len("https://x")))
begins_web_address = re.compile(r"https?://[^\s/?#\\]", re.IGNORECASE).match
_blanks = re.compile(r"\s+").sub


def _are_web_addresses(values: Column) -> bool:
    if len("".join(values).split(maxsplit=1)) != 1:  # there are blanks, or nothing
        return not values
    return all(map(begins_web_address, set(map(_beginning, values))))


def _web_address(value: Any) -> str:
    """Browsers escape the blanks within an address, too."""
    text = _blanks(lambda blanks: quote(blanks[0]), value.strip()) if isinstance(value, str) else ""
    if not _are_web_addresses([text]):
        raise because(value, Reason.NO_WEB_ADDRESS)
    return text


WEB_ADDRESS = ParameterRule(_are_web_addresses, _web_address, "must be an http or https address.")

# --- Meta's ids ------------------------------------------------------------------------------------------------------
# Of many values, each with a line's end: do all surely have the form? One by one, it takes several times as long.

_surely_fbp = re.compile(
    r"(?:fb\.[0-9]{1,3}\.(?!0+\b)[0-9]{1,20}\.(?!0+\b)[0-9]{1,20}(?:\.(?:[A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{2}))?\n)*+"
).fullmatch
#: Meta's click ids begin like that. No placeholder is so long, and hashes of them have no letter behind F.
_surely_fbc = re.compile(r"(?:fb\.[0-9]{1,3}\.[0-9]{1,20}\.[G-Zg-z][A-Za-z0-9_-]{23,499}\n)*+").fullmatch


def _have_form(surely: Callable[[str], object], values: Column) -> bool:
    lines = "\n".join([*values, ""])
    return lines.count("\n") == len(values) and surely(lines) is not None


def _are_fbp(values: Column) -> bool:
    return _have_form(_surely_fbp, values)


def _are_fbc(values: Column) -> bool:
    return _have_form(_surely_fbc, values) or all(map(is_fbc, values))


FBC = ParameterRule(
    _are_fbc,
    stripped(is_fbc, Reason.NO_CLICK_ID),
    "must have the form fb.<subdomain index>.<creation time>.<fbclid>.",
)
FBP = ParameterRule(
    _are_fbp,
    stripped(is_fbp, Reason.NO_BROWSER_ID),
    "must have the form fb.<subdomain index>.<creation time>.<random number>.",
)

_is_lead_id = re.compile(r"[0-9]{15,17}").fullmatch
INVALID_LEAD_ID = 2804036


def _are_lead_ids(values: Column) -> bool:
    return are_texts_or_whole(values) and all(_is_lead_id(str(value)) for value in values)


def _lead_id(value: Any) -> str:
    """Exports of leads write ``l:`` before the number."""
    text = value.strip().lower().removeprefix("l:").strip() if isinstance(value, str) else ""
    if not _is_lead_id(text):
        raise because(value, Reason.NO_LEAD_ID)
    return text


LEAD_ID = ParameterRule(_are_lead_ids, _lead_id, "must be a number of 15 to 17 digits.", INVALID_LEAD_ID)

# --- Money -----------------------------------------------------------------------------------------------------------

#: Shops write the code of a currency for some years after its end, which Meta knows.
_LONG_AGO = date(2015, 1, 1)


@cache
def _currencies() -> frozenset[str]:
    """What some country has paid with in the last years, in capitals and not; no metals, no funds."""
    used = {
        currency
        for of_country in get_global("territory_currencies").values()
        for currency, _, end, is_tender in of_country
        if is_tender and (end is None or date(*end) >= _LONG_AGO)
    }
    return frozenset(used | set(map(str.lower, used)))


def _are_currencies(values: Column) -> bool:
    return _currencies().issuperset(values)


def _currency(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    for code in (text, text.upper()):
        if code in _currencies():
            return code
    raise because(value, Reason.NO_CURRENCY)


#: Meta gives no subcode of its own for it.
CURRENCY = ParameterRule(_are_currencies, _currency, "must be a currency code of ISO 4217.", None)

# --- Others ----------------------------------------------------------------------------------------------------------

_LIMITS = frozenset(("LDU", ""))


def _are_limits(values: Column) -> bool:
    return are_lists(values) and _LIMITS.issuperset(chain.from_iterable(values))


def _limits(value: Any) -> list[str]:
    """Limited Data Use, in any case and without brackets."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise because(value, Reason.NO_TEXT)
    kept = [text.strip().upper() for text in texts if text.strip().upper() == "LDU"]
    if not kept:
        raise because(value, Reason.NO_CHOICE)
    return kept


DATA_LIMITS = ParameterRule(_are_limits, _limits, "must be a list: empty, or of LDU.")

_EXTINFO_LENGTH = 16
INVALID_DEVICE_INFO = 2804043


def _are_extinfo(values: Column) -> bool:
    return are_lists(values) and all(len(value) == _EXTINFO_LENGTH and value[0] in ("a2", "i2") for value in values)


EXTINFO = ParameterRule(
    _are_extinfo,
    refuse(Reason.NO_DEVICE),
    "must be a list of 16 values, of which the first is a2 or i2.",
    INVALID_DEVICE_INFO,
)
