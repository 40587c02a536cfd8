"""The payload while it is written: each value is escaped for the place where it stands.

Outside of quotes a value is written as JSON, within quotes as the text of a JSON string. No value can close a quote or
begin a key. Commas come between the items of a loop where the template has none.
"""

from __future__ import annotations

import json
import re
import time
from io import StringIO
from typing import Any

from liquid.undefined import is_undefined

from pipelines.custom_http.errors import TemplateError

_encode = json.JSONEncoder(allow_nan=False).encode
_within_quotes = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL).match
#: What comes before a value, or before a key.
_OPENS = frozenset("{[,:")
#: What can come after a value, and begins none.
_FOLLOWS = frozenset("}],:")


class PayloadWriter(StringIO):
    """Takes literal text by ``write``, as the template engine has it, and values by ``write_value``."""

    def __init__(self, *, max_bytes: int, max_seconds: float) -> None:
        super().__init__()
        self._left = max_bytes
        # Of the processor: a machine that has other things to do is no fault of the template.
        self._ends_at = time.thread_time() + max_seconds
        self._is_quoted = False
        #: Was the last that was written, but for white space, the end of a value?
        self._ends_value = False
        self._is_next_item = False

    def check_time(self) -> None:
        """TemplateError where the payload has taken too long already."""
        if time.thread_time() > self._ends_at:
            raise TemplateError("takes too long.")

    def begin_next_item(self) -> None:
        """A loop runs once more: should a value follow upon a value, a comma is missing."""
        self.check_time()
        self._is_next_item = True

    def write(self, text: str, /) -> int:
        """The template's own text."""
        self.check_time()
        self._insert_comma(text)
        position = 0
        while position < len(text):
            position = self._end_of_quoted(text, position) if self._is_quoted else self._end_of_open(text, position)
        return self._put(text)

    def write_value(self, value: Any) -> int:
        """A value from an event, or made of one."""
        self.check_time()
        value = None if is_undefined(value) else value
        if self._is_quoted:
            text = value if isinstance(value, str) else "" if value is None else _json(value)
            return self._put(_json(text)[1:-1])
        text = _json(value)
        self._insert_comma(text)
        self._ends_value = True
        return self._put(text)

    def _insert_comma(self, text: str) -> None:
        if self._is_next_item and not self._is_quoted and (begin := text.lstrip()):
            self._is_next_item = False
            if self._ends_value and begin[0] not in _FOLLOWS:
                self._put(",")

    def _end_of_quoted(self, text: str, position: int) -> int:
        """Where the quotes end, or the text."""
        match = _within_quotes(text, position)
        end = match.end() if match else position
        if end == len(text):
            return end
        if text[end] == "\\":
            raise TemplateError("a backslash within quotes stands before a tag: no value can come after it.")
        self._is_quoted, self._ends_value = False, True
        return end + 1

    def _end_of_open(self, text: str, position: int) -> int:
        """Where quotes begin, or where the text ends."""
        end = text.find('"', position)
        if significant := text[position : None if end < 0 else end].rstrip():
            self._ends_value = significant[-1] not in _OPENS
        if end < 0:
            return len(text)
        self._is_quoted = True
        return end + 1

    def _put(self, text: str) -> int:
        self._left -= len(text.encode())
        if self._left < 0:
            raise TemplateError("makes too large a payload.", is_too_large=True)
        return super().write(text)


def _json(value: Any) -> str:
    """In ASCII, so that there is no text that it cannot hold."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        raise TemplateError("a value is of a kind that JSON does not have.") from None
