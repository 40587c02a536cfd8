"""What the sandbox checks beside the table (events/parameters/table.py): what every event has, ids and hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from events.intake.identifiers import is_sha256
from events.parameters import table
from events.parameters.rules import OBJECT, PARAMETER_ERROR, TEXT, ParameterRule, one_of
from filters.models import EVENT_NAME_MAX_LENGTH


class Breach(NamedTuple):
    """A parameter that is not as it must be."""

    path: tuple[str | int, ...]
    words: str
    subcode: int | None


def breach(fields: Mapping[str, Any], rules: Mapping[str, ParameterRule], *, closed: bool = True) -> Breach | None:
    """The first parameter that breaks its rule, or that no rule knows where these are all (``closed``).

    A null is a parameter that was not given.
    """
    for name, value in fields.items():
        rule = rules.get(name)
        if rule is None and closed:
            return Breach((name,), "is not a parameter that is known here.", PARAMETER_ERROR)
        if rule is not None and value is not None and not rule.takes(value):
            return Breach((name,), rule.words, rule.subcode)
    return None


def _each(holds: Callable[[Any], bool], words: str) -> ParameterRule:
    """A rule that the intake does not need: nothing is mended by it."""
    return OBJECT._replace(are_usable=lambda values: all(map(holds, values)), words=words)


def _is_event_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= EVENT_NAME_MAX_LENGTH


def _is_hashed(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(each, str) and is_sha256(each) for each in values)


def _are_ids(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(type(each) in (str, int) and each != "" for each in values)


_ANY = _each(lambda value: True, "")
_HASHED = _each(_is_hashed, "must be hashed with SHA-256.")

EVENT = {
    "event_time": _ANY,  # checked in rules.py, as is user_data
    "user_data": _ANY,
    "event_name": _each(_is_event_name, f"must be a text of 1 to {EVENT_NAME_MAX_LENGTH} characters."),
    "action_source": one_of(table.ACTION_SOURCES),
    "event_id": TEXT,
    **table.EVENT,
}

#: Contact information, which Meta takes as SHA-256 only; and parts of it that Meta's SDKs hash, too.
_CONTACTS = ("em", "ph", "fn", "ln", "ct", "st", "zp", "ge", "db", "country")
_PARTS = ("f5first", "f5last", "fi", "dobd", "dobm", "doby")

USER_DATA = {
    **dict.fromkeys((*_CONTACTS, *_PARTS), _HASHED),
    "external_id": _each(_are_ids, "must be a text that is not empty, or a list of them."),
    **table.USER_DATA,
}
CUSTOM_DATA, CONTENT, APP_DATA = table.CUSTOM_DATA, table.CONTENT, table.APP_DATA
