"""Write events/intake/hashing/countries.json: what countries are called, in English and their own languages.

Babel knows it all, but takes a second and a half and 100 MiB to read its languages; this file takes a millisecond.
``python -m scripts.country_names`` when Babel was updated and ``tests/events/test_countries.py`` says it is behind.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from babel.localedata import locale_identifiers

from events.intake.hashing.countries import keys

_LOCALES = sorted(locale_identifiers())
FILE = Path(__file__).resolve().parent.parent / "events/intake/hashing/countries.json"
#: Babel's territories that are none of ISO 3166: groups, parts, pseudo-countries.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


def names() -> dict[str, str]:
    """By key: the two letters. What more than one country is called is left out."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    english = Locale("en").territories
    codes = {code for code in map(str, english) if len(code) == 2 and code.isalpha()} - _NO_COUNTRIES
    for code in sorted(codes):
        found[code.lower()].add(code)
        for name in [*_short(english[code]), *_own_names(code)]:
            for key in keys(name):
                found[key].add(code)
    for alias, replacements in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(replacements) == 1 and replacements[0] in codes:
            found[alias.lower()].add(replacements[0])
    return {name: code.lower() for name, (code, *others) in sorted(found.items()) if name and not others}


def _short(name: str) -> Iterator[str]:
    """A name, and the first of two islands: "Trinidad" of "Trinidad & Tobago"."""
    yield name
    if " & " in name:
        yield name.partition(" & ")[0]


def _own_names(code: str) -> Iterator[str]:
    """In each language of the country, in each of its scripts, as they are written there."""
    languages = {language.partition("_")[0] for language in get_official_languages(code, True, True)} - {"en"}
    for locale in _LOCALES:
        language, *parts = locale.split("_")
        if language in languages and all(len(part) == 4 or part == code for part in parts):
            with suppress(UnknownLocaleError):
                if name := Locale.parse(locale).territories.get(code):
                    yield name


if __name__ == "__main__":
    FILE.write_text(json.dumps(names(), ensure_ascii=False, indent=0) + "\n", "utf-8")
