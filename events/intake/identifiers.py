"""What identifies nobody, and the forms of Meta's browser ids and click ids.

Shops send words such as "undefined" where they know nothing of a visitor, or hashes of such words. Whoever takes one
for an identifier makes one person of all who share it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import product

#: In lower case: what programs, templates and shops write where there is no value. A surname or two is among them
#: (Guest, Null): far more often, it is none. What is common as a name, such as Nil, is not here.
_PLACEHOLDERS = frozenset(
    (
        *("undefined", "null", "none", "nan", "false", "true", "-1", "empty", "no value", "missing", "unknown"),
        *("n/a", "n.a.", "#n/a", "not set", "not_set", "not available", "not applicable", "not provided"),
        *("not specified", "default", "object object", "object undefined", "object null"),
        *("guest", "guest user", "guest_user", "anonymous", "anonymous user", "anonymous_user", "anon"),
        *("not logged in", "not_logged_in", "logged out", "logged_out"),
        *("infinity", "-infinity", "user_id", "external_id", "customer_id", "client_id"),
        *("desconocido", "invitado", "anónimo", "anonimo", "ninguno", "nulo", "indefinido"),
        *("unbekannt", "gast", "anonym", "inconnu", "invité", "anonyme", "desconhecido", "convidado", "sconosciuto"),
    )
)
_joined = re.compile(r"[\W_]+").sub
#: With what normalising makes of them; "na" is Namibia.
_WORDS = _PLACEHOLDERS | {joined for word in _PLACEHOLDERS if len(joined := _joined("", word)) > 2}

#: A placeholder may stand between these.
_AROUND = "()[]<>{}\"'"
#: Signs alone; zeros alone, as in a nil UUID; a template's variable that was not filled in.
_is_empty_form = re.compile(
    r"[\W_]*|0+(?:[.,:-]0+)*|\{\{.*\}\}|[$#]\{.*\}|%\w+%|%%.*%%|<%.*%>|\[\[.*\]\]|__\w+__|\{[\w.]+\}|<\w+>"
).fullmatch
_FORMS = ("", " ", "-", "--", ".", "?", "0", "00", "000", "0.0", "{}", "[]", "00000000-0000-0000-0000-000000000000")

#: strip() keeps these, which nobody sees: the soft hyphen, zero-width characters, marks of direction and byte order.
_without_invisible = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+").sub

#: Longer than each placeholder and each hash with its appendix.
_LONGEST = 100
_SHORTEST_DIGEST = 32


def _written() -> Iterator[bytes]:
    for word in _WORDS:
        for text in {word, word.upper(), word.capitalize(), word.title()}:
            yield text.encode()
    yield from map(str.encode, (*_FORMS, "NaN", "[object Object]"))


#: SHA-256, which may come for any identifier.
HASHES_OF_NOTHING = frozenset(hashlib.sha256(text).hexdigest() for text in _written())
#: Ids of a shop's own choice are hashed in other ways, too.
_DIGESTS_OF_NOTHING = HASHES_OF_NOTHING | {
    hashlib.new(algorithm, text, usedforsecurity=False).hexdigest()
    for algorithm, text in product(("md5", "sha1"), _written())
}

#: Of these consist most ids.
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:@+/=|\n"
_may_hold_empty_form = re.compile(r"^(?:[^1-9A-Za-z\n]*$|__)", re.MULTILINE).search

# Meta's parameter builder adds two or eight characters, which name its language and version.
_APPENDIX = r"(?:\.(?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?"
_as_sha256 = re.compile(rf"([0-9a-f]{{64}}){_APPENDIX}").fullmatch
_is_fbp = re.compile(rf"fb\.[0-9]{{1,3}}\.[0-9]{{1,20}}\.[0-9]{{1,20}}{_APPENDIX}").fullmatch
_as_fbc = re.compile(rf"fb\.[0-9]{{1,3}}\.[0-9]{{1,20}}\.([^\s.]{{1,500}}){_APPENDIX}").fullmatch


def visible(text: str) -> str:
    """A text without what nobody sees, within it and around it."""
    return text.strip() if text.isascii() else _without_invisible("", text).strip()


def is_nothing(value: object) -> bool:
    """Is it no identifier: empty, a placeholder in any case, or a hash of either?"""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return not value  # an empty list or object
    text = visible(value).lower()
    if len(text) > _LONGEST:
        return False
    if text in _WORDS or (not text[:1].isalpha() and _is_empty_form(text)):
        return True
    if len(text) < _SHORTEST_DIGEST:
        return text[-1] in _AROUND and text.strip(_AROUND) in _WORDS
    return text.partition(".")[0] in _DIGESTS_OF_NOTHING


def sha256_in(text: str) -> str:
    """The SHA-256 that a text is, in lower case and without an appendix; nothing where it is none."""
    found = _as_sha256(text.strip().lower())
    return found[1] if found else ""


def are_surely_something(values: list[str]) -> bool:
    """Is surely none of the texts nothing? Told of many at once, it takes a fraction of the time.

    Raises TypeError where one is no text.
    """
    text = "\n".join(values)
    if text.encode("ascii", "replace").translate(None, _PLAIN) or _may_hold_empty_form(text):
        return False
    text = text.lower()
    lines = text.split("\n")
    parts = text.replace(".", "\n").split("\n") if "." in text else lines  # a hash may have an appendix
    return _WORDS.isdisjoint(lines) and _DIGESTS_OF_NOTHING.isdisjoint(parts)


def is_fbp(text: str) -> bool:
    """Has it the form of a browser id: ``fb.<index>.<milliseconds>.<number>``, and perhaps an appendix?"""
    return _is_fbp(text) is not None


def is_fbc(text: str) -> bool:
    """Has it the form of a click id, ``fb.<index>.<milliseconds>.<fbclid>``, and does it hold one?"""
    found = _as_fbc(text)
    return found is not None and not is_nothing(found[1])
