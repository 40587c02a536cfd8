"""What an event's optional fields take, as Meta's documentation and SDKs say. Fields without a rule take anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple

from events.intake.identifiers import is_fbc, is_fbp, is_nothing
from events.intake.left_out import Reason

#: What the Graph API's clients and the gateway's own put beside the events.
SECRETS = frozenset(("access_token", "accessKey", "appsecret_proof"))


class Unusable(Exception):
    """A value is to be left out."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _because(value: Any, reason: Reason) -> Unusable:
    """Words such as "undefined" are no mistake of form."""
    return Unusable(Reason.NOTHING if not isinstance(value, bool) and is_nothing(value) else reason)


Column = Sequence[Any]


class Rule(NamedTuple):
    """What a field takes."""

    #: Are all of these values usable as they are? TypeError means no.
    are_usable: Callable[[Column], bool]
    #: What any other value is taken as. Raises Unusable.
    mend: Callable[[Any], Any]


def _refuse(reason: Reason) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        raise _because(value, reason)

    return refuse


def _refuse_secret(value: Any) -> Any:
    raise Unusable(Reason.SECRET)


def _stripped(is_usable: Callable[[str], Any], reason: Reason) -> Callable[[Any], str]:
    """Spaces around a value are nobody's intention."""

    def mend(value: Any) -> str:
        if isinstance(value, str) and is_usable(value.strip()):
            return value.strip()
        raise _because(value, reason)

    return mend


def _are_texts(values: Column) -> bool:
    return set(map(type, values)) <= {str, int} and "" not in values


def _are_texts_or_lists(values: Column) -> bool:
    lists = [value for value in values if type(value) is list]
    return {*map(type, values), *map(type, chain.from_iterable(lists))} <= {str, int, list} and "" not in values


def _are_lists_of_texts(values: Column) -> bool:
    return set(map(type, values)) <= {list} and set(map(type, chain.from_iterable(values))) <= {str}


def _are_objects(values: Column) -> bool:
    return set(map(type, values)) <= {dict}


def _are_lists_of_objects(values: Column) -> bool:
    if set(map(type, values)) != {list}:
        return False
    objects = list(chain.from_iterable(values))
    return set(map(type, objects)) <= {dict} and SECRETS.isdisjoint(set().union(*objects))


def _objects(value: Any) -> Any:
    """Secrets in them are taken out with those that stand in other places."""
    if isinstance(value, list) and set(map(type, value)) <= {dict}:
        return value
    raise _because(value, Reason.NO_LIST_OF_OBJECTS)


#: Nothing is tried twice: a long text of digits would take the square of its length.
_is_number = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?").fullmatch
_is_currency = re.compile(r"[A-Za-z]{3}").fullmatch


def _are_numbers(values: Column) -> bool:
    types = set(map(type, values))
    if types <= {int, float}:
        return True
    return types <= {int, float, str} and all(_is_number(value) for value in values if type(value) is str)


def _are_currencies(values: Column) -> bool:
    return all(map(_is_currency, set(values)))


def _are_flags(values: Column) -> bool:
    return set(map(type, values)) <= {bool}


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _flag(value: Any) -> bool:
    flag = _FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise _because(value, Reason.NO_FLAG)
    return flag


def _list_of_texts(value: Any) -> list[str]:
    """Who has one option to give leaves out the brackets."""
    if isinstance(value, str) and value.strip():
        return [value.strip()]
    raise _because(value, Reason.NO_TEXT)


# --- Internet addresses ----------------------------------------------------------------------------------------------

_between_addresses = re.compile(r"[\s,;|]+").split


def _are_addresses(values: Column) -> bool:
    try:
        for value in values:
            inet_pton(AF_INET6 if ":" in value else AF_INET, value)
    except (OSError, ValueError):
        return False
    return True


def _is_address(text: str) -> bool:
    return _are_addresses([text])


def _address(value: Any) -> str:
    if isinstance(value, str) and _is_address(value.strip()):
        return value.strip()
    values = value if isinstance(value, list) else [value]
    parts = [part for one in values if isinstance(one, str) for part in _between_addresses(one)]
    if len(list(filter(_is_address, parts))) > 1:
        raise Unusable(Reason.SEVERAL_IP_ADDRESSES)
    raise _because(value, Reason.NO_IP_ADDRESS)


# --- Ids -------------------------------------------------------------------------------------------------------------
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


# --- Which field takes what ------------------------------------------------------------------------------------------

_TEXT = Rule(_are_texts, _refuse(Reason.NO_SINGLE_TEXT))
_TEXTS = Rule(_are_texts_or_lists, _refuse(Reason.NO_TEXT))
_NUMBER = Rule(_are_numbers, _stripped(_is_number, Reason.NO_NUMBER))
_OBJECT = Rule(_are_objects, _refuse(Reason.NO_OBJECT))
_SECRETS = dict.fromkeys(SECRETS, Rule(lambda _: False, _refuse_secret))

EVENT: dict[str, Rule] = {
    **_SECRETS,
    "opt_out": Rule(_are_flags, _flag),
    "data_processing_options": Rule(_are_lists_of_texts, _list_of_texts),
    "data_processing_options_country": _NUMBER,
    "data_processing_options_state": _NUMBER,
    "referrer_url": _TEXT,
    "custom_data": _OBJECT,
    "app_data": _OBJECT,
    "original_event_data": _OBJECT,
    "attribution_data": _OBJECT,
}
USER_DATA: dict[str, Rule] = {
    **_SECRETS,
    "client_ip_address": Rule(_are_addresses, _address),
    "client_user_agent": _TEXT,
    "fbc": Rule(_are_fbc, _stripped(is_fbc, Reason.NO_CLICK_ID)),
    "fbp": Rule(_are_fbp, _stripped(is_fbp, Reason.NO_BROWSER_ID)),
    **dict.fromkeys(("subscription_id", "fb_login_id", "lead_id", "anon_id", "madid", "ctwa_clid"), _TEXT),
    **dict.fromkeys(("page_id", "page_scoped_user_id", "ig_account_id", "ig_sid"), _TEXT),
}
CUSTOM_DATA: dict[str, Rule] = {
    **_SECRETS,
    "currency": Rule(_are_currencies, _stripped(_is_currency, Reason.NO_CURRENCY)),
    **dict.fromkeys(("value", "predicted_ltv", "num_items"), _NUMBER),
    "contents": Rule(_are_lists_of_objects, _objects),
    "content_ids": _TEXTS,
}
