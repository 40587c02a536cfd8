"""Bodies that try to cost more than they are worth, each of a size that is asked for, and ordinary ones beside them."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import orjson

from bench.stage import event

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "hostile"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

#: So many identifiers of a kind an event may have.
_IDENTIFIERS = 20


class Body(NamedTuple):
    """A request's body; ``size`` is what it is once it is unpacked."""

    content: bytes
    size: int
    content_type: str = JSON
    headers: Mapping[str, str] = {}


def ordinary(size: int) -> Body:
    """Events as a shop sends them; where they would be too many, each says more of what was bought."""
    count = max(1, min(1_000, size // 700))
    events = [event(number) for number in range(count)]
    room = size // count - len(orjson.dumps(events[0]))
    for one in events:
        one["custom_data"]["contents"] = [{"id": "shoe-1", "quantity": 1}] * max(0, room // 29)
    return _json({"data": events})


def _json(value: Any) -> Body:
    return _body(orjson.dumps(value))


def _body(content: bytes, content_type: str = JSON, **headers: str) -> Body:
    return Body(content, len(content), content_type, headers)


def _events(size: int, change: Callable[[dict[str, Any], int], None]) -> Body:
    """As many events as may be, each of which ``change`` has filled with its share of the bytes."""
    count = 1_000
    events = [event(number) for number in range(count)]
    room = max(0, size // count - len(orjson.dumps(events[0])))
    for one in events:
        change(one, room)
    return _json({"data": events})


def _identifiers(text: str, length: int) -> Callable[[int], Body]:
    """Identifiers to be hashed, made of a text, of so many characters each."""

    def make(size: int) -> Body:
        value = (text * length)[:length]
        each = len(orjson.dumps(value)) + 1

        def change(one: dict[str, Any], room: int) -> None:
            left = room // each
            for name in ("em", "ph", "fn", "ln", "ct", "st", "zp", "country", "external_id", "ge", "db"):
                one["user_data"][name] = [value] * min(_IDENTIFIERS, left)
                left -= min(_IDENTIFIERS, left)
                if left <= 0:
                    return

        return _events(size, change)

    return make


def _distinct(size: int) -> Body:
    def change(one: dict[str, Any], room: int) -> None:
        start = int(one["event_id"][-6:]) * 1_000
        names = ("em", "ph", "fn", "ln", "ct", "zp", "external_id")
        for place, name in enumerate(names):
            each = min(_IDENTIFIERS, room // 10 // len(names))
            one["user_data"][name] = [f"{start + place * 100 + number:x}" for number in range(each)]

    return _events(size, change)


def _in_event(write: Callable[[int], bytes]) -> Callable[[int], Body]:
    """One event, with ``write(size)`` as its ``custom_data``."""

    def make(size: int) -> Body:
        head = orjson.dumps({**event(1), "custom_data": None})[:-1]
        head = head.replace(b',"custom_data":null', b"")
        return _body(b'{"data":[' + head + b',"custom_data":' + write(size - len(head) - 40) + b"}]}")

    return make


def _keys(size: int) -> bytes:
    return b"{" + b",".join(b'"%x":1' % number for number in range(size // 9)) + b"}"


def _same_keys(size: int) -> bytes:
    return b"{" + b",".join([b'"a":1'] * (size // 6)) + b"}"


def _text_events(size: int) -> Body:
    return _json(
        {"data": [orjson.dumps(one).decode() for one in orjson.loads(ordinary(size * 8 // 10).content)["data"]]}
    )


def _whole_text(size: int) -> Body:
    data = orjson.dumps(orjson.loads(ordinary(size * 8 // 10).content)["data"]).decode()
    return _json({"data": data})


def _form(size: int) -> Body:
    data = orjson.dumps(orjson.loads(ordinary(size // 2).content)["data"]).decode()
    return _body(f"data={quote_plus(data)}".encode()[:size], FORM)


def _form_fields(size: int) -> Body:
    return _body(b"&".join([b"a=1"] * (size // 4)), FORM)


def _escaped_form(size: int) -> Body:
    return _body(b"data=" + b"%5B" * (size // 3), FORM)


def _parts(size: int) -> Body:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode()
    return _body(part * (size // len(part)) + f"--{BOUNDARY}--\r\n".encode(), MULTIPART)


def _part_of_dashes(size: int) -> Body:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"\r\n\r\n'.encode()
    return _body(head + b"\r\n--hostil" * (size // 10) + f"\r\n--{BOUNDARY}--\r\n".encode(), MULTIPART)


def _packed(make: Callable[[int], Body], times: float = 1) -> Callable[[int], Body]:
    def packed(size: int) -> Body:
        plain = make(int(size * times))
        return Body(gzip.compress(plain.content, 9), size, plain.content_type, {"Content-Encoding": "gzip"})

    return packed


def _flushed(size: int) -> Body:
    """A gzip stream of many tiny members."""
    one = gzip.compress(b" ")
    return Body(one * (size // len(one)), size, JSON, {"Content-Encoding": "gzip"})


def _late_fault(size: int) -> Body:
    """All well, but for the last event."""
    events = orjson.loads(ordinary(size).content)["data"]
    events[-1]["event_time"] = "never"
    return _json({"data": events})


def _old(size: int) -> Body:
    events = orjson.loads(ordinary(size).content)["data"]
    for one in events:
        one["event_time"] = int(time.time()) - 30 * 86_400
    return _json({"data": events})


def _wide(size: int) -> Body:
    def change(one: dict[str, Any], room: int) -> None:
        one.update({f"unknown_{number}": number for number in range(room // 18)})

    return _events(size, change)


def _addresses(size: int) -> Body:
    def change(one: dict[str, Any], room: int) -> None:
        one["event_source_url"] = "https://" + "xn--a." * (min(room, 2_000) // 6) + "com/?" + "a=b&" * (room // 8)

    return _events(size, change)


#: By what they are made of.
HOSTILE: dict[str, Callable[[int], Body]] = {
    "combining marks": _identifiers("\u0301\u0327", 250),
    "a letter and marks": _identifiers("a\u0301\u0327\u0323", 500),
    "letters of two parts": _identifiers("\u01d5", 250),
    "Hangul": _identifiers("\ud55c", 166),
    "compatibility forms": _identifiers("\ufdfa", 160),
    "short identifiers": _identifiers("a", 1),
    "short identifiers, all different": _distinct,
    "long identifiers": _identifiers("Ada Lovelace ", 500),
    "phone numbers of signs": _identifiers("+()- ", 500),
    "deep lists": _in_event(lambda size: b'{"a":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}"),
    "deep objects": _in_event(lambda size: b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6)),
    "nothing but brackets": lambda size: _body(b"[" * size),
    "lists of lists": _in_event(lambda size: b'{"a":[' + b",".join([b"[]"] * (size // 3)) + b"]}"),
    "empty objects": _in_event(lambda size: b'{"a":[' + b",".join([b"{}"] * (size // 3)) + b"]}"),
    "many keys": _in_event(_keys),
    "one key, again and again": _in_event(_same_keys),
    "unknown fields": _wide,
    "small numbers": _in_event(lambda size: b'{"a":[' + b",".join([b"1"] * (size // 2)) + b"]}"),
    "one long number": _in_event(lambda size: b'{"value":' + b"1" * size + b"}"),
    "long numbers": _in_event(lambda size: b'{"a":[' + b",".join([b"1." + b"7" * 300] * (size // 303)) + b"]}"),
    "numbers with exponents": _in_event(lambda size: b'{"a":[' + b",".join([b"1e-300"] * (size // 7)) + b"]}"),
    "escapes": _in_event(lambda size: b'{"a":"' + b"\\u00e9" * (size // 6) + b'"}'),
    "escaped quotes": _in_event(lambda size: b'{"a":"' + b'\\"' * (size // 2) + b'"}'),
    "pairs of surrogates": _in_event(lambda size: b'{"a":"' + b"\\ud83d\\ude00" * (size // 12) + b'"}'),
    "half surrogates": _in_event(lambda size: b'{"a":"' + b"\\ud83d" * (size // 6) + b'"}'),
    "white space": lambda size: _body(b" " * (size - 2) + b"{}"),
    "bytes that are no text": lambda size: _body(b'{"data":["' + b"\xff" * size + b'"]}'),
    "long addresses": _addresses,
    "empty events": lambda size: _body(b'{"data":[' + b",".join([b"{}"] * (size // 3)) + b"]}"),
    "events that are text": _text_events,
    "a list that is text": _whole_text,
    "a fault at the end": _late_fault,
    "events that are too old": _old,
    "a form": _form,
    "a form of many fields": _form_fields,
    "a form of escapes": _escaped_form,
    "multipart of many parts": _parts,
    "multipart of what is no boundary": _part_of_dashes,
    "gzip": _packed(ordinary),
    "gzip, of brackets": _packed(lambda size: _body(b"[" * size)),
    "gzip, beyond the limit": _packed(lambda size: _body(b" " * size), 100),
    "gzip of many members": _flushed,
}
