"""Dates of birth, and their parts."""

from __future__ import annotations

import datetime
import re
import unicodedata

from events.intake.hashing.text import ascii_digits

#: No customer was born earlier. Meta's parameter builder begins there, too.
_FIRST_YEAR = 1800
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
#: By name, and by its first three letters.
_MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
_is_day_or_month = re.compile(r"[0-9]{1,2}").fullmatch
_is_year = re.compile(r"[0-9]{4}").fullmatch

#: A time of day, which may be before, within or behind a date; with its zone.
_without_time = re.compile(
    r"""
    (?: ^ | [\s,]+ (?:at\s)? | (?<=[0-9]) t )
    (?: [0-9]{1,2} : [0-9]{2} (?: : [0-9]{2} (?: [.,][0-9]{1,9} )? )? | (?<=t) [0-9]{4} (?:[0-9]{2})? )
    (?: \s? [ap]\.?m\.? )?
    (?: \s? (?:z|utc|gmt) )?
    (?: \s? [+-][0-9]{2}:?[0-9]{2} )?
    (?: \s? \([^()]{0,60}\) )?
    (?= [\s,] | $ )
    """,
    re.VERBOSE,
).sub
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[.,]?\s+)?"
_MONTH = r"(?P<name>[a-z]+)\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_BETWEEN = r"(?:\s*[,/-]\s*|\s+)"
#: With a month's English name.
_NAMED = tuple(
    re.compile(_WEEKDAY + shape).fullmatch
    for shape in (
        rf"(?:the\s+)?{_DAY}(?:{_BETWEEN}|\.\s*)?(?:of\s+)?{_MONTH}{_BETWEEN}?{_YEAR}",
        rf"{_MONTH}{_BETWEEN}?(?:the\s+)?{_DAY}{_BETWEEN}{_YEAR}",
        rf"{_YEAR}{_BETWEEN}?{_MONTH}{_BETWEEN}?{_DAY}",
    )
)
#: Three numbers, between the same signs.
_year_first = re.compile(r"([0-9]{4})\s*([-/.]|\s)\s*([0-9]{1,2})\s*\2\s*([0-9]{1,2})(?:z|\.)?").fullmatch
_year_last = re.compile(r"([0-9]{1,2})\s*([-/.]|\s)\s*([0-9]{1,2})\s*\2\s*([0-9]{4})\.?").fullmatch
_east_asian = re.compile(r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월]\s*([0-9]{1,2})\s*[日일]").fullmatch
_is_together = re.compile(r"[0-9]{8}").fullmatch


def date_of_birth(text: str) -> str:
    """YYYYMMDD. The whole text is one date, and perhaps a time of day.

    Three numbers have the year first, then month and day; or last. Then dots put the day first. With other signs the
    month is first where both can be, as in Meta's example and its parameter builder. A month may have its English name.
    """
    text = _without_time(" ", _plain(text), count=1).strip(" ,")
    if _is_together(text):
        return _together(text)
    if found := _year_first(text):
        return _date(found[1], found[3], found[4])
    if found := _year_last(text):
        first, sign, second, year = found.groups()
        day_first = _date(year, second, first)
        return day_first if sign == "." else _date(year, first, second) or day_first
    if found := _east_asian(text):
        return _date(*found.groups())
    for shape in _NAMED:
        if (found := shape(text)) and found["name"] in _MONTH_NUMBERS:
            return _date(found["year"], str(_MONTH_NUMBERS[found["name"]]), found["day"])
    return ""


def _plain(text: str) -> str:
    """With the digits, dashes, slashes and points of ASCII."""
    if text.isascii():
        return text
    signs = {"／": "/", "．": ".", "−": "-"}
    return "".join("-" if unicodedata.category(char) == "Pd" else signs.get(char, char) for char in ascii_digits(text))


def day(text: str) -> str:
    """Two digits."""
    text = ascii_digits(text)
    return f"{text:0>2}" if _is_day_or_month(text) and 1 <= int(text) <= 31 else ""


def month(text: str) -> str:
    """Two digits, of a number or an English name."""
    text = ascii_digits(text)
    number = _MONTH_NUMBERS.get(text.rstrip(".")) or (int(text) if _is_day_or_month(text) else 0)
    return f"{number:02}" if 1 <= number <= 12 else ""


def year(text: str) -> str:
    """Four digits."""
    text = ascii_digits(text)
    return text if _is_year(text) and _FIRST_YEAR <= int(text) <= _today().year else ""


def _together(number: str) -> str:
    """Eight digits: YYYYMMDD, or another order where only one can be."""
    if date := _date(number[:4], number[4:6], number[6:]):
        return date
    others = {_date(number[4:], number[:2], number[2:4]), _date(number[4:], number[2:4], number[:2])} - {""}
    return others.pop() if len(others) == 1 else ""


def _date(year: str, month: str, day: str) -> str:
    """YYYYMMDD where there was such a day; else nothing."""
    if not (_is_year(year) and _is_day_or_month(month) and _is_day_or_month(day)):
        return ""
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return ""
    # Where the day is over later, it may be tomorrow.
    if date.year < _FIRST_YEAR or date > _today() + datetime.timedelta(days=1):
        return ""
    return date.isoformat().replace("-", "")


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
