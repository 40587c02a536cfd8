"""What programs, templates and shops write where there is no value, and the hashes of all of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import product

#: In any field. A surname or two is among them (Guest, Null): far more often, it is none. What is common as a name
#: (Nil), or as a state or country (ID, NA), is not here.
_ANYWHERE = """
    undefined, null, dbnull, none, nan, false, true, empty, missing, unknown, unknown user, unset, unspecified, default,
    infinity, no value, no data, no name, not set, not available, not applicable, not provided, not specified,
    not defined, not given, not found, object object, object undefined, object null,
    guest, guest user, guest customer, guest checkout, anonymous, anonymous user, anon, unidentified, unregistered,
    not logged in, logged out, logged off, not registered,
    user id, external id, customer id, client id, visitor id,
    desconocido, invitado, anónimo, anonimo, ninguno, nulo, indefinido, unbekannt, gast, anonym, inconnu, invité,
    anonyme, desconhecido, convidado, sconosciuto
"""
#: In place of a shop's own id. As a name, a city or a state each of these may be meant.
_AS_ID = """
    nil, void, nobody, nothing, no one, somebody, someone, everyone, everybody, no user, no id, no customer,
    user, visitor, customer, client, member, shopper, buyer, person, test, tester, testing, example, sample, demo,
    dummy, id, uid, uuid, guid, value, string, email, name, deleted, usuario, cliente, visitante, utilisateur, visiteur,
    benutzer, kunde, besucher
"""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


def _made_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Texts without spaces that are made of these phrases alone: the longest first, and none is tried twice."""
    joined = sorted((_joined(phrase) for phrase in phrases), key=len, reverse=True)
    return re.compile(f"(?>{'|'.join(joined)})+")


def _joined(text: str) -> str:
    return "".join(_words(text))


_words = re.compile(r"[^\W_]+").findall
_is_anywhere = _made_of(_phrases(_ANYWHERE)).fullmatch
_is_as_id = _made_of(_phrases(f"{_ANYWHERE}, {_AS_ID}")).fullmatch
#: Without its signs it is Namibia, and part of names.
_without_na = re.compile(r"(?<![^\W_])n[\\/._-]+a(?![^\W_])").sub

#: Signs and zeros alone, as in a date or a UUID of zeros, and as programs write them; -1.
_is_zero = re.compile(r"[\W_0]*(?:t[\W_0]*z?)?|-1(?:[.,]0+)?").fullmatch
_is_last_uuid = re.compile(r"\{?f{8}(?:-?f{4}){3}-?f{12}\}?").fullmatch
#: A template's variable that was not filled in; a spreadsheet's error.
_is_unfilled = re.compile(
    r"\{.*\}|\[\[.*\]\]|\$+[a-z_][\w.>-]*|\$+[{(].*[})]|#\{.*\}|%[\w.-]+%|%%.*%%|<[%?].*[%?]>|<[a-z_][\w .-]*>"
    r"|\*\|.*\|\*|__\w+__|@+\w+@+|#+\w+#+|#(?:n/a|ref!|value!|name\?|null!|num!|div/0!)"
).fullmatch


def is_placeholder(text: str, *, as_id: bool = False) -> bool:
    """Does the text, in lower case, say nothing: by its words, its signs, or as a variable that was not filled in?"""
    if not text[:1].isalpha() and (_is_zero(text) or _is_unfilled(text)):
        return True
    joined = _joined(_without_na("none", text))
    if as_id:
        return bool(_is_as_id(joined) or _is_last_uuid(text))
    return bool(_is_anywhere(joined))


# --- Hashes ----------------------------------------------------------------------------------------------------------
# A hash cannot be looked into, so all that is likely is hashed beforehand: each phrase in its spellings, between signs,
# and with a space at its end.

_SIGNS = (
    "",
    "-",
    "--",
    "---",
    "_",
    ".",
    "..",
    "...",
    "?",
    "??",
    "???",
    "/",
    "#",
    "*",
    "+",
    "@",
    "…",
    "—",
    "–",
    "''",
    '""',
)
_SPACES = ("", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u200b", "\ufeff")
_AROUND = ("{}", "({})", "[{}]", "<{}>", '"{}"', "'{}'")
_TEMPLATES = (
    *(
        "{{{{{}}}}}",
        "{{{{ {} }}}}",
        "{{{}}}",
        "{{ {} }}",
        "${{{}}}",
        "#{{{}}}",
        "${}",
        "%{}%",
        "%%{}%%",
        "[[{}]]",
        "[{}]",
    ),
    *("<{}>", "<%= {} %>", "__{}__", "@@{}@@", "@{}@", "##{}##", "*|{}|*"),
)
_VARIABLES = """
    user id, user.id, user, id, uid, external id, customer id, customer.id, customer, client id, visitor id, member id,
    email, user email, user.email, customer email, customer.email, email address, em, phone, user.phone, customer.phone,
    phone number, ph, first name, user.first name, customer.first name, fn, last name, user.last name,
    customer.last name, ln, name, city, ct, state, st, zip, zip code, postal code, zp, country, gender, ge,
    date of birth, birthday, db, fbp, fbc
"""
_ZEROS = (
    *("0" * length for length in range(1, 16)),
    *("0.0", "0.00", "0,0", "0,00", "-0", "+0", "-1", "-1.0", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000"),
    *("00.00.0000", "00000-0000", "00000000-0000-0000-0000-000000000000"),
)
_LAST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def _spellings(phrase: str) -> set[str]:
    joins = (" ", "_", "-", "") if " " in phrase else ("",)
    title = phrase.title()
    written = (phrase, phrase.upper(), phrase.capitalize(), title, phrase[:1] + title[1:])
    return {text.replace(" ", join) for text in written for join in joins}


def _likely(phrases: str) -> Iterator[str]:
    for phrase in (*_phrases(phrases), "n/a", "n.a.", "n\\a", "n-a", "n/a.", "#n/a"):
        for text in _spellings(phrase):
            yield from (text + space for space in _SPACES)
            yield from (f" {text}", *(around.format(text) for around in _AROUND[1:]))


def _likely_anywhere() -> Iterator[str]:
    yield from _likely(_ANYWHERE)
    yield from ("NaN", "-Infinity", "[object Object]", "[object Undefined]", "[object Null]", "[]", "{}", "[{}]")
    yield from (text + space for text, space in product((*_SIGNS, *_ZEROS), _SPACES))
    for variable in _phrases(_VARIABLES):
        yield from (template.format(text) for template in _TEMPLATES for text in _spellings(variable))


def _likely_as_id() -> Iterator[str]:
    yield from _likely_anywhere()
    yield from _likely(_AS_ID)
    yield from (_LAST_UUID, _LAST_UUID.upper())


#: SHA-256, which may come for any identifier.
HASHES = frozenset(hashlib.sha256(text.encode()).hexdigest() for text in _likely_anywhere())
#: Ids of a shop's own choice are hashed in other ways, too.
DIGESTS_AS_ID = frozenset(
    hashlib.new(algorithm, text, usedforsecurity=False).hexdigest()
    for text in map(str.encode, _likely_as_id())
    for algorithm in ("sha256", "sha1", "md5")
)
