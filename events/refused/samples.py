"""What people are shown of a refused request: enough to find the mistake, and nothing that may tell of anybody.

Nothing of it was checked, so nothing stands where it should: an address of mail may be an event's name, and a token a
key. What dead letters show (``events.delivery.masking``) is shown, but for what looks like a personal datum, a hash or
a token; of other texts the form alone, "ada@x.com" as "xxx@x.xxx".
"""

from __future__ import annotations

import base64
import re
from itertools import islice
from typing import Any

import msgspec

from accounts.audit import MASK
from common.errors import InvalidInput, PortalError
from events.delivery.masking import masked
from events.figures.id_sample import STANDARD_EVENTS
from events.intake.hashing.user_data import RULES as HASHED
from events.intake.options import OPTION_NAMES
from events.models import SAMPLE_MAX_LENGTH
from events.parameters.table import ACTION_SOURCES, APP_DATA, CONTENT, CUSTOM_DATA, EVENT, USER_DATA

#: Of an object so many fields are shown, of a list so many values, and of a text so many characters.
_FIELDS, _VALUES, _TEXT = 30, 5, 120
#: Of a body that nobody can read: so much before the place where the reader stopped, and in all.
_BEFORE, _BODY = 200, 300

#: The words of the API, which tell of nobody.
_WORDS = frozenset(
    {
        *("data", "event_name", "event_time", "event_id", "action_source", "user_data", "external_id", "accessKey"),
        *("access_token", "true", "false", "null", "website_context", "location", "referrer", "advanced_matching"),
        *(*OPTION_NAMES, *STANDARD_EVENTS, *ACTION_SOURCES),
        *(*EVENT, *USER_DATA, *HASHED, *CUSTOM_DATA, *CONTENT, *APP_DATA),
    }
)
_words = re.compile(r"\w+")
#: A telephone number, however it is grouped; a hash or token: long, and with digits.
_is_telling = re.compile(
    r"(?:[0-9][^0-9A-Za-z]{0,4}){7}|(?<![A-Za-z0-9])(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{20,}|[0-9A-Fa-f]{16,}"
).search
#: A text of other characters may hold a mailbox, as it is or in any of the ways to write its mark.
_is_plain = re.compile(r"(?:[^\W\d]|[0-9 .,:;/#!'()|\-])*").fullmatch
_in_base64 = re.compile(r"[A-Za-z0-9_/\-]{8,}").findall
_is_plain_key = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}").fullmatch
_place_in = re.compile(r"\(byte ([0-9]+)\)").search
#: Times that a mistaken unit makes of these years: in seconds, milliseconds and microseconds.
_TIMES = [(900_000_000 * unit, 2_200_000_000 * unit) for unit in (1, 1_000, 1_000_000)]
_MOST_DIGITS = 1_000_000


def sample_of_event(event: object) -> str:
    """The event as JSON, masked."""
    if isinstance(event, dict):
        told: Any = _told_object(masked(dict(islice(event.items(), _FIELDS))))
    else:
        told = MASK if isinstance(event, list) else _told(event)
    return _cut(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())


def sample_of_body(body: bytes, error: PortalError) -> str:
    """The part of a body at which its reader stopped: its marks, and the words of the API; of other words the form."""
    place = _place_in(str(error.limits.get("error", ""))) if isinstance(error, InvalidInput) else None
    start = max(0, int(place[1]) - _BEFORE) if place and error.field == "body" else 0
    text = body[start : start + _BODY].decode(errors="replace")
    return _cut(("…" if start else "") + _words.sub(lambda word: _form_of_word(word[0]), _printable(text)))


def _told_object(fields: dict[Any, Any]) -> dict[str, Any]:
    return {_told_key(str(name)): _told_field(name, value) for name, value in islice(fields.items(), _FIELDS)}


def _told_key(name: str) -> str:
    return name if name in _WORDS or (_is_plain_key(name) and not _tells(name)) else _form(name)


def _told_field(name: str, value: Any) -> Any:
    if name == "event_time" and type(value) is int and any(first <= value < last for first, last in _TIMES):
        return value
    return _told(value)


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return _told_object(value)
    if isinstance(value, list):
        return [_told(each) for each in value[:_VALUES]]
    if isinstance(value, str):
        return _told_text(value)
    if value is None or isinstance(value, bool) or abs(value) < _MOST_DIGITS:
        return value
    return _form(str(value))


def _told_text(text: str) -> str:
    if len(text) > _TEXT or not text.isprintable():
        return _form(text)
    if "://" in text and "@" not in text:  # parts of an address are no words of one text
        return "/".join(_form(part) if _tells(part) else part for part in text.split("/"))
    return text if text == MASK or text in _WORDS or not _tells(text) else _form(text)


def _tells(text: str) -> bool:
    """May the text tell of somebody?"""
    return not _is_plain(text) or bool(_is_telling(text)) or any(map(_hides, _in_base64(text)))


def _hides(word: str) -> bool:
    """Is it a text in base64 that tells of somebody?"""
    try:
        hidden = base64.b64decode(word[: len(word) // 4 * 4], b"-_" if "/" not in word else None).decode("ascii")
    except ValueError:
        return False
    return hidden.isprintable() and ("@" in hidden or bool(_is_telling(hidden)))


def _form(text: str) -> str:
    """Letters as x, digits as 0: what is wrong with a date, an address or a quote can be seen by it."""
    form = _words.sub(lambda word: "".join(map(_form_of, word[0])), _printable(text[:_TEXT]))
    return form if len(text) <= _TEXT else f"{form}…"


def _form_of_word(word: str) -> str:
    return word if word in _WORDS else "".join(map(_form_of, word))


def _form_of(character: str) -> str:
    if character == "_":
        return character
    return "0" if character.isdecimal() else "X" if character.isupper() else "x"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() or one == "\n" else "·" for one in text)


def _cut(text: str) -> str:
    return text if len(text) <= SAMPLE_MAX_LENGTH else text[: SAMPLE_MAX_LENGTH - 1] + "…"
