"""The body of a request with events from a shop's server, parsed. Those of browsers: ``browser_body.py``.

It is read as what it is, whatever its Content-Type says: JSON, or the form that the Graph API takes."""

from __future__ import annotations

import codecs
import re
from io import BytesIO
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from common.errors import InvalidInput
from events.intake.access_keys import Keys, keys_in
from events.intake.event_list import EventList
from events.intake.notes import Notes
from events.intake.options import read_options
from events.intake.strict_json import decode

_MAX_FIELDS = 100
_lone_percent = re.compile(rb"%(?![0-9A-Fa-f]{2})").sub
#: Stands in no JSON.
_MARK = b"\0"


class Submission(NamedTuple):
    """A request's content, of which nothing is checked yet but its form."""

    sent: EventList
    keys: Keys
    #: A JSON object, or empty: what goes to the Graph API with the events.
    options: str


def parse(body: bytes, content_type: str, notes: Notes) -> Submission:
    """Read a request's body; InvalidInput where it is neither JSON nor a form, or holds no list of events.

    Of the fields beside the events, only those are read that are named here.
    """
    fields, written = _fields(body, content_type)
    if isinstance(fields.get("data"), str):
        inner, written = _unwrap(fields["data"])
        fields = inner | fields | {"data": inner["data"]}
        sent = _events(inner, written)
    else:
        sent = _events(fields, written)
    return Submission(sent, keys_in(fields), read_options(fields, notes))


def is_json(body: bytes) -> bool:
    """Is the body read as JSON? If not, as a form."""
    return _text(body).startswith((b"{", b"["))


def _text(body: bytes) -> bytes:
    return body.removeprefix(codecs.BOM_UTF8).lstrip()


def _fields(body: bytes, content_type: str) -> tuple[dict[str, Any], bytes]:
    """What was sent, and of JSON how it is written down again."""
    text = _text(body)
    if is_json(text):
        fields, written = decode("body", text)
        if not isinstance(fields, dict):
            raise InvalidInput("body", 'must be a JSON object such as {"data": [event, …]}.')
        return fields, written
    return _form(text, body, content_type), b""


def _form(text: bytes, body: bytes, content_type: str) -> dict[str, Any]:
    try:
        text.decode()
        media_type, parameters = _split(content_type)
        if media_type.startswith("multipart/"):
            return _multipart(body, media_type + parameters)
        return _urlencoded(text)
    except (ValueError, MultiPartParserError, SuspiciousOperation):
        raise InvalidInput("body", "must be a JSON object, or a form in UTF-8.") from None


def _split(content_type: str) -> tuple[str, str]:
    """The media type, which may be written in any case, and its parameters, which may not."""
    media_type, semicolon, parameters = content_type.partition(";")
    return media_type.strip().lower(), semicolon + parameters


def _urlencoded(text: bytes) -> dict[str, Any]:
    if text.count(b"&") >= _MAX_FIELDS:
        raise ValueError("too many fields")
    pairs = (pair.partition(b"=") for pair in text.split(b"&") if pair)
    return {_unquoted(name): _unquoted(value) for name, _, value in pairs}


def _unquoted(text: bytes) -> str:
    """As urllib's ``unquote_plus`` does it, which takes ten times as long where much is escaped.

    Python reads escapes such as its own ``\\x5b`` in C. A percent sign that begins no escape stands for itself.
    """
    text = text.replace(b"+", b" ")
    if b"%" not in text:
        return text.decode()
    text = _lone_percent(b"%25", text)
    escaped = text.replace(b"\\", b"\\\\").replace(b"%", b"\\x")
    return escaped.decode("unicode_escape").encode("latin-1").decode()


def _multipart(body: bytes, content_type: str) -> dict[str, Any]:
    if body.count(b"\n--") > _MAX_FIELDS:  # before Django looks at each of them
        raise ValueError("too many fields")
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    fields, files = MultiPartParser(meta, BytesIO(body), [_InMemory()]).parse()
    sent = {name: file.read().decode() for name, file in files.items() if isinstance(file, UploadedFile)}
    return sent | fields.dict()


class _InMemory(FileUploadHandler):
    """A field may be sent as a file (``curl -F data=@events.json``); the body is in memory already."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._content = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._content.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        self._content.seek(0)
        return UploadedFile(self._content, self.field_name)


def _unwrap(text: str) -> tuple[dict[str, Any], bytes]:
    """``data`` as JSON in a text: the list of events, or a whole body, as a file may hold it."""
    data, written = decode("data", _text(text.encode()))
    if isinstance(data, dict) and "data" in data:
        return data, written
    return {"data": data}, b'{"data":%b}' % written


def _events(fields: dict[str, Any], written: bytes) -> EventList:
    data = fields.get("data")
    if data is None:
        raise InvalidInput("data", "is required: a list of events.")
    if not isinstance(data, list):
        raise InvalidInput("data", "must be a list of events.")
    if not 1 <= len(data) <= settings.INTAKE_MAX_EVENTS:
        raise InvalidInput("data", "must hold 1 to {limit:,} events.", limit=settings.INTAKE_MAX_EVENTS)
    if str in map(type, data):
        return EventList(_unpack(data))
    if len(data) == 1:  # as quickly written anew
        return EventList(data)
    return EventList(data, _written_data(fields, written))


def _written_data(fields: dict[str, Any], written: bytes) -> bytes:
    """The part of a JSON object, written down, that is its ``data``."""
    before, _, after = orjson.dumps(fields | {"data": orjson.Fragment(_MARK)}).partition(_MARK)
    return written[len(before) : len(written) - len(after)]


def _unpack(data: list[Any]) -> list[Any]:
    """The events of a list in which they are texts, as Meta's SDKs send them."""
    return [
        decode(f"data[{index}]", event.encode())[0] if isinstance(event, str) else event
        for index, event in enumerate(data)
    ]
