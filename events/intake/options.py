"""What a request says beside its events. The Graph API takes what ``AdsPixel.create_event`` of its SDKs knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from common.errors import InvalidInput
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.optional import may_hold_secrets
from events.intake.strict_json import decode
from events.models import OutboxRow

_MAX_LENGTH = OutboxRow._meta.get_field("options").max_length or 0


class _UnusableError(Exception):
    """An option is left out, for this reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _text(value: Any) -> str:
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise _UnusableError(Reason.NO_SINGLE_TEXT)
    if not value.isprintable():
        raise _UnusableError(Reason.CONTROL_CHARACTERS)
    return value


def _number(value: Any) -> int:
    text = str(value).strip() if isinstance(value, str) or type(value) is int else ""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise _UnusableError(Reason.NO_NUMBER)
    return int(text)


def _object(value: Any) -> Any:
    value = _from_json(value)
    if not isinstance(value, dict):
        raise _UnusableError(Reason.NO_OBJECT)
    return value


def _list_of_objects(value: Any) -> Any:
    value = _from_json(value)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _UnusableError(Reason.NO_LIST_OF_OBJECTS)
    return value


def _from_json(value: Any) -> Any:
    """A form has objects as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return decode("", value[: _MAX_LENGTH + 1].encode())[0]
    except InvalidInput:
        return None


#: What goes to the Graph API with the events, and how it is read.
_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "test_event_code": _text,
    "partner_agent": _text,
    "namespace_id": _text,
    "upload_id": _text,
    "upload_tag": _text,
    "upload_source": _text,
    "platforms": _list_of_objects,
    "progress": _object,
    "trace": _number,
}
OPTION_NAMES = tuple(_OPTIONS)


def read_options(fields: Mapping[str, Any], notes: Notes) -> str:
    """The options among the fields of a request, as a JSON object, or an empty text where there is none."""
    if _OPTIONS.keys().isdisjoint(fields):  # as mostly
        return ""
    options: dict[str, Any] = {}
    written = ""
    for name in _OPTIONS:
        value = fields.get(name)
        if value is None or value == "":
            continue
        try:
            options[name], written = _added(options, name, value)
        except _UnusableError as unusable:
            if name == "test_event_code":  # without it, Meta would take trials for what people did
                if unusable.reason == Reason.TOO_LONG:
                    raise InvalidInput(name, "must be shorter.") from None
                raise InvalidInput(name, "must be a text without control characters.") from None
            notes.leave_out(LeftOut(name, unusable.reason))
    return written


def _added(options: Mapping[str, Any], name: str, value: Any) -> tuple[Any, str]:
    """An option as it is passed on, and all options with it, written down."""
    value = _OPTIONS[name](value)
    written = orjson.dumps({**options, name: value})
    if may_hold_secrets(written):
        raise _UnusableError(Reason.SECRET)
    text = written.decode()
    if len(text) > _MAX_LENGTH:
        raise _UnusableError(Reason.TOO_LONG)
    return value, text
