"""The website that an event comes from, in the form into which ``common.domains`` brings what people write."""

from __future__ import annotations

import re
from functools import lru_cache

import idna

# A browser's address up to its host: user names are skipped, a backslash separates as a slash does, and a port may
# follow (WHATWG URL standard, section 4.4). Only web pages have a website, so other schemes have none.
_ADDRESS = re.compile(
    r"\s*https?:[/\\]{2,}(?:[^/?#\\]*@)?(?P<host>[^/?#\\@:\s]+)(?::[0-9]*)?(?:[/?#\\]|\s*\Z)", re.IGNORECASE
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_LONGEST = 254  # with a dot at its end
_LONGEST_START = len("https://") + _LONGEST + 1
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


def host_of(event_source_url: object) -> str | None:
    """The host of a web address, in lower-case ASCII; None where the value is no such address."""
    if not isinstance(event_source_url, str):
        return None
    # Ordinary addresses of one website are alike up to the slash behind its host: that much is looked at once.
    end = event_source_url.find("/", len("https://")) + 1
    known = _host_of_start(event_source_url[:end]) if 0 < end <= _LONGEST_START else None
    return known or _host_of(event_source_url)


def _host_of(address: str) -> str | None:
    found = _ADDRESS.match(address)
    if found is None or len(found["host"]) > _LONGEST:
        return None
    return _normalised(found["host"])


_host_of_start = lru_cache(maxsize=4_096)(_host_of)


@lru_cache(maxsize=4_096)
def _normalised(host: str) -> str | None:
    host = host.lower().removesuffix(".")
    if not host.isascii():
        host = _to_ascii(host)
    return host if _HOST.fullmatch(host) else None


def _to_ascii(host: str) -> str:
    """A Unicode host as it stands in the DNS, or nothing."""
    try:
        return idna.encode(host, uts46=True).decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        return ""
