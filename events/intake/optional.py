"""An event's optional values: what Meta is known to refuse, or cannot use, is left out, and the event goes without it.

What is clear though written otherwise, such as an address between spaces, is mended (events/parameters/table.py).
Secrets that a sender puts into an event by mistake are left out, too, at any depth: they are neither stored nor passed
on.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

from events.intake.event_list import EventList
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.tables import Object, Table
from events.parameters.rules import ParameterRule, Unusable
from events.parameters.table import APP_DATA, CONTENT, CUSTOM_DATA, EVENT, USER_DATA, Rules

#: What the Graph API's clients and the gateway's own put beside the events.
SECRETS = frozenset(("access_token", "accessKey", "appsecret_proof"))
_SECRETS_AS_KEYS = tuple(b'"%b":' % name.encode() for name in SECRETS)


def are_surely_usable(sent: EventList) -> bool:
    """Is there surely nothing to leave out of any of the events, which obey the rules for what they need?

    It is told of all at once, a column of values at a time: one by one it takes several times as long.
    """
    try:
        events = Table(sent.events)
        if not (_obey(events, EVENT) and _obey(sent.people, USER_DATA)):
            return False
        orders, apps = Table(events.column("custom_data")), Table(events.column("app_data"))
        if not (_obey(orders, CUSTOM_DATA) and _obey(apps, APP_DATA)):
            return False
        contents = Table(list(chain.from_iterable(orders.column("contents"))))
        if not (len(contents.column("id")) == len(contents.rows) and _obey(contents, CONTENT)):
            return False
    except TypeError:
        return False
    # These objects have no secrets. Mostly there are no others.
    known = 2 * len(sent) + len(orders.rows) + len(contents.rows)
    return sent.written.count(b"{") == known or not may_hold_secrets(sent.written)


def _obey(table: Table, rules: Rules) -> bool:
    """Are all values usable as they are, and none of them a secret? TypeError means no."""
    return SECRETS.isdisjoint(table.names) and all(
        rules[field].are_usable(table.column(field)) for field in rules.keys() & table.names
    )


def leave_out_unusable(event: Object, notes: Notes) -> None:
    """Take out of the event what cannot be used, and note it. The ``user_data`` is an object."""
    _leave_out(event, EVENT, "", notes)
    _leave_out(event["user_data"], USER_DATA, "user_data.", notes)
    if "app_data" in event:
        _leave_out(event["app_data"], APP_DATA, "app_data.", notes)
    if "custom_data" in event:
        _leave_out_of_order(event["custom_data"], notes)


def _leave_out_of_order(order: Object, notes: Notes) -> None:
    _leave_out(order, CUSTOM_DATA, "custom_data.", notes)
    if "contents" in order:
        order["contents"] = [
            content for place, content in enumerate(order["contents"]) if _is_content(content, place, notes)
        ]


def _is_content(content: Object, place: int, notes: Notes) -> bool:
    """Without its id, nobody knows what it is."""
    shown = f"custom_data.contents[{place}]"
    _leave_out(content, CONTENT, "custom_data.contents.", notes, f"{shown}.")
    if "id" in content:
        return True
    notes.leave_out(LeftOut("custom_data.contents", Reason.NO_ID), shown)
    return False


def _leave_out(values: Object, rules: dict[str, ParameterRule], path: str, notes: Notes, shown: str = "") -> None:
    for field in [field for field in values if field in rules]:
        value, rule = values[field], rules[field]
        try:
            if rule.are_usable((value,)):
                continue
        except TypeError:
            pass
        kept = None
        if value is not None and value not in ([], {}):  # who sends one of these says that there is nothing
            try:
                kept = rule.mend(value)
            except Unusable as refusal:
                notes.leave_out(LeftOut(path + field, refusal.reason), (shown or path) + field)
                kept = refusal.kept
        if kept is None:
            del values[field]
        else:
            values[field] = kept


# --- Secrets ---------------------------------------------------------------------------------------------------------

_is_plain_key = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}").fullmatch
#: So long is the path that a message names.
_PATH_MAX_LENGTH = 100


def may_hold_secrets(written: bytes) -> bool:
    """May an object in this JSON have a key of SECRETS?"""
    return any(key in written for key in _SECRETS_AS_KEYS)


def take_out_secrets(value: Any, notes: Notes, path: str = "") -> None:
    """Take secrets out of a part of an event, at any depth."""
    if isinstance(value, dict):
        for name in SECRETS & value.keys():
            del value[name]
            notes.leave_out(LeftOut(name, Reason.SECRET), _within(path, name))
        inner: Any = value.items()
    else:
        inner = enumerate(value)
    for key, part in inner:
        if isinstance(part, dict | list):
            take_out_secrets(part, notes, _within(path, key))


def _within(path: str, key: str | int) -> str:
    """The path of what stands there. Keys are the sender's words: none is repeated that is odd or long."""
    step = f"[{key}]" if isinstance(key, int) else ("." if path else "") + (key if _is_plain_key(key) else "…")
    return path + step if len(path) <= _PATH_MAX_LENGTH else f"{path[:_PATH_MAX_LENGTH]}…{step[-40:]}"
