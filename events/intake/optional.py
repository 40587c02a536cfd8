"""An event's optional values: what Meta is known to refuse, or cannot use, is left out, and the event goes without it.

What is clear though written otherwise, such as an address between spaces, is mended. Secrets that a sender puts into an
event by mistake are left out, too, at any depth: they are neither stored nor passed on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.optional_rules import CUSTOM_DATA, EVENT, SECRETS, USER_DATA, Rule, Unusable

Object = dict[str, Any]
Column = Sequence[Any]

_SECRETS_AS_KEYS = tuple(b'"%b":' % name.encode() for name in SECRETS)


def are_surely_usable(events: list[Object], written: bytes) -> bool:
    """Is there surely nothing to leave out of any of the events, which are ``written`` as JSON?

    It is told of all at once, a column of values at a time: one by one it takes several times as long.
    """
    orders = [event["custom_data"] for event in events if "custom_data" in event]
    try:
        if not (
            _obey(events, EVENT)
            and _obey([event["user_data"] for event in events], USER_DATA)
            and _obey(orders, CUSTOM_DATA)
        ):
            return False
    except TypeError:
        return False
    # These objects have no secrets. Mostly there are no others.
    contents = list(chain.from_iterable([order["contents"] for order in orders if "contents" in order]))
    known = 2 * len(events) + len(orders) + len(contents)
    return written.count(b"{") == known or not may_hold_secrets(written)


def _obey(objects: list[Object], rules: dict[str, Rule]) -> bool:
    fields = rules.keys() & set().union(*objects)
    return all(rules[field].are_usable(column) for field, column in _columns(objects, fields))


def _columns(objects: list[Object], fields: Collection[str]) -> Iterator[tuple[str, Column]]:
    """The values of each field. Mostly all objects have all of them: then one pass is enough."""
    if len(fields) > 1:
        try:
            columns = list(zip(*map(itemgetter(*fields), objects), strict=True))
        except KeyError:
            pass
        else:
            return zip(fields, columns, strict=True)
    return ((field, [each[field] for each in objects if field in each]) for field in fields)


def leave_out_unusable(event: Object, notes: Notes) -> None:
    """Take out of the event what cannot be used, and note it. The ``user_data`` is an object."""
    _leave_out(event, EVENT, "", notes)
    _leave_out(event["user_data"], USER_DATA, "user_data.", notes)
    if "custom_data" in event:
        _leave_out(event["custom_data"], CUSTOM_DATA, "custom_data.", notes)


def _leave_out(values: Object, rules: dict[str, Rule], path: str, notes: Notes) -> None:
    for field in [field for field in values if field in rules]:
        value = values[field]
        if _is_usable(rules[field], value):
            continue
        try:
            if value is not None:  # who sends null says that there is none
                values[field] = rules[field].mend(value)
                continue
        except Unusable as refusal:
            notes.leave_out(LeftOut(path + field, refusal.reason))
        del values[field]


def _is_usable(rule: Rule, value: Any) -> bool:
    try:
        return rule.are_usable((value,))
    except TypeError:
        return False


def may_hold_secrets(written: bytes) -> bool:
    """May an object in this JSON have a key of SECRETS?"""
    return any(key in written for key in _SECRETS_AS_KEYS)


def take_out_secrets(value: Any, notes: Notes) -> None:
    """Take secrets out of a part of an event, at any depth."""
    if isinstance(value, dict):
        for name in SECRETS & value.keys():
            del value[name]
            notes.leave_out(LeftOut(name, Reason.SECRET))
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            take_out_secrets(inner, notes)
