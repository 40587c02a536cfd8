"""What identifies nobody, and the forms of Meta's browser ids and click ids.

Shops send words such as "undefined" where they know nothing of a visitor, or hashes of such words. Whoever takes one
for an identifier makes one person of all who share it.
"""

from __future__ import annotations

import re

from events.intake.placeholders import DIGESTS_AS_ID, HASHES, is_placeholder

#: strip() keeps these, which nobody sees: the soft hyphen, zero-width characters, marks of direction and byte order.
_without_invisible = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+").sub

#: Longer than each placeholder and each hash with its appendix.
_LONGEST = 100
_SHORTEST_DIGEST = 32


#: SHA-256 of placeholders, whatever field they come in.
HASHES_OF_NOTHING = HASHES

#: Of these consist most ids.
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:@+/=|\n"
#: Without a digit but zero, or with a sign before all else: other ids are no placeholders.
_that_may_be_placeholders = re.compile(r"^(?:[^1-9\n]*|[^0-9A-Za-z\n].*)$", re.MULTILINE).findall

# Meta's parameter builder adds two or eight characters, which name its language and version.
_APPENDIX = r"(?:\.(?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?"
_as_sha256 = re.compile(rf"([0-9a-f]{{64}}){_APPENDIX}").fullmatch
_is_fbp = re.compile(rf"fb\.[0-9]{{1,3}}\.(?!0+\b)[0-9]{{1,20}}\.(?!0+\b)[0-9]{{1,20}}{_APPENDIX}").fullmatch
_as_fbc = re.compile(rf"fb\.[0-9]{{1,3}}\.[0-9]{{1,20}}\.([^\s.]{{1,500}}){_APPENDIX}").fullmatch


def visible(text: str) -> str:
    """A text without what nobody sees, within it and around it."""
    return text.strip() if text.isascii() else _without_invisible("", text).strip()


def is_nothing(value: object) -> bool:
    """Is it no identifier: empty, a placeholder in any case, or a hash of either?"""
    return _is_nothing(value, as_id=False)


def is_no_id(value: object) -> bool:
    """The same of a shop's own id: more words are none, such as "visitor"."""
    return _is_nothing(value, as_id=True)


def _is_nothing(value: object, *, as_id: bool) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return not value  # an empty list or object
    text = visible(value).lower()
    if len(text) > _LONGEST:
        return False
    if is_placeholder(text, as_id=as_id):
        return True
    return len(text) >= _SHORTEST_DIGEST and text.partition(".")[0] in DIGESTS_AS_ID


def sha256_in(text: str) -> str:
    """The SHA-256 that a text is, in lower case and without an appendix; nothing where it is none."""
    found = _as_sha256(text.strip().lower())
    return found[1] if found else ""


def is_sha256(text: str) -> bool:
    """Is it a SHA-256, and perhaps an appendix?"""
    return _as_sha256(text.lower()) is not None


def are_surely_ids(values: list[str]) -> bool:
    """Is surely each of the texts a shop's own id? Told of many at once, it takes a fraction of the time.

    Raises TypeError where one is no text.
    """
    text = "\n".join(values)
    if text.encode("ascii", "replace").translate(None, _PLAIN):
        return False
    if any(map(is_no_id, _that_may_be_placeholders(text))):
        return False
    text = text.lower()
    parts = text.replace(".", "\n").split("\n")  # a hash may have an appendix
    return DIGESTS_AS_ID.isdisjoint(parts)


def is_fbp(text: str) -> bool:
    """Has it the form of a browser id: ``fb.<index>.<milliseconds>.<number>``, and perhaps an appendix?

    A time or number of zero is nobody's.
    """
    return _is_fbp(text) is not None


def is_fbc(text: str) -> bool:
    """Has it the form of a click id, ``fb.<index>.<milliseconds>.<fbclid>``, and does it hold one?"""
    found = _as_fbc(text)
    return found is not None and not is_nothing(found[1])
