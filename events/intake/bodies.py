"""The bytes of a body with events: read whole, unpacked if it was packed, and bounded at each step.

``server_body.py`` and ``browser_body.py`` parse them.
"""

from __future__ import annotations

import re
import zlib

from django.conf import settings

from common.errors import InvalidInput, TooLarge, UnsupportedEncoding
from common.http import Body, Request
from events.intake.server_body import is_json

#: What Accept-Encoding tells those whose encoding is not read here.
ENCODINGS = "gzip, deflate"

#: Nobody packs twice for a reason; each time costs as much as unpacking the largest body.
_MAX_ENCODINGS = 2
#: A gzip file may be several, one behind the other. Each costs something, even an empty one.
_MAX_MEMBERS = 100
#: What does not shrink grows by a few bytes for each of its blocks, of 16 KiB or more, and by a header.
_GROWTH, _HEADER = 1_000, 100

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_is_name = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,30}").fullmatch


def most_bytes(limit: int) -> int:
    """The most that is read of a body of so many bytes: it may be packed, and not have shrunk."""
    return limit + limit // _GROWTH + _HEADER


def read_body(request: Request, limit: int | None = None) -> bytes:
    """The body, unpacked: of so many bytes at most (INTAKE_MAX_BODY_BYTES), whatever the headers say of its length.

    Raises TooLarge where it is longer, InvalidInput where it did not arrive whole or is damaged, UnsupportedEncoding
    where it is packed in a way that is not read here.
    """
    limit = limit or settings.INTAKE_MAX_BODY_BYTES
    length = request.content_length
    encodings = _encodings(request.headers["content-encoding"]) if "content-encoding" in request.headers else []
    body = _read(request.body, length, most_bytes(limit) if encodings else limit)
    for encoding in reversed(encodings):
        body = _unpack(body, encoding, limit)
    if not encodings:  # what is packed knows its end
        _check_is_whole(body, length)
    return body


def _encodings(header: str) -> list[str]:
    """In the order in which they were applied (RFC 9110, section 8.4); without those that change nothing."""
    names = [name.strip().lower().removeprefix("x-") for name in header.split(",")]
    encodings = [name for name in names if name not in ("", "identity")]
    for name in encodings:
        if name not in ("gzip", "deflate"):
            shown = f'"{name}"' if _is_name(name) else "of this name"
            raise UnsupportedEncoding(f"Content-Encoding: {shown} is not read here. Send gzip, deflate or none.")
    if len(encodings) > _MAX_ENCODINGS:
        raise UnsupportedEncoding(f"Content-Encoding: at most {_MAX_ENCODINGS} encodings are read here.")
    return encodings


def _read(sent: Body, length: int | None, limit: int) -> bytes:
    if (length or 0) > limit:
        raise _too_long(limit)
    chunks: list[bytes] = []
    left = limit + 1
    try:
        while left > 0 and (chunk := sent.read(left)):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError:
        raise _cut_off() from None
    if left <= 0:
        raise _too_long(limit)
    # A server may end a stream that broke off like any other.
    if limit + 1 - left < (length or 0):
        raise _cut_off()
    return b"".join(chunks)


def _check_is_whole(body: bytes, length: int | None) -> None:
    """JSON that was cut off is no JSON; of a form, nobody can tell without its length."""
    if body and length is None and not is_json(body):
        raise InvalidInput("body", "must come with its Content-Length if it is a form; in chunks, send JSON.")


def _unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack no more than the limit: a few bytes may stand for gigabytes."""
    wbits = _GZIP if encoding == "gzip" else _ZLIB if _has_zlib_header(body) else _RAW_DEFLATE
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS if encoding == "gzip" else 1):
        if parts and not body.startswith(_GZIP_MAGIC):
            break
        packed = zlib.decompressobj(wbits)
        try:
            part = packed.decompress(body, room + 1)
        except zlib.error:
            raise InvalidInput("body", "is no {encoding}, or is damaged.", encoding=encoding) from None
        room -= len(part)
        if room < 0:
            raise _too_long(limit)
        if not packed.eof:
            raise _cut_off()
        parts.append(part)
        body = packed.unused_data
        # Some programs fill up a file's last block.
        if not (body.lstrip(b"\0") if encoding == "gzip" else body):
            return b"".join(parts)
    raise InvalidInput("body", "has more behind the end of its {encoding}.", encoding=encoding)


def _has_zlib_header(body: bytes) -> bool:
    """HTTP's deflate has one (RFC 9110, section 8.4.1.2), but some clients leave it out."""
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0


def _too_long(limit: int) -> TooLarge:
    return TooLarge("body", "must have at most {limit:,} bytes.", limit=limit)


def _cut_off() -> InvalidInput:
    return InvalidInput("body", "did not arrive whole.")
