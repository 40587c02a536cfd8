"""Dates of birth, and their parts."""

from __future__ import annotations

import datetime
import re

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
_numbers = re.compile(r"[0-9]+").findall
_words = re.compile(r"[^\W\d_]+").findall
_is_day_or_month = re.compile(r"[0-9]{1,2}").fullmatch
_is_year = re.compile(r"[0-9]{4}").fullmatch


def date_of_birth(text: str) -> str:
    """YYYYMMDD, of what can be read in one way.

    Three numbers have the year first or last; the month is before the day where both can be, as Meta's parameter
    builder reads them. A month may have its English name.
    """
    text = ascii_digits(text)
    numbers = _numbers(text)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        return _together(numbers[0])
    months = {str(_MONTH_NUMBERS[word]) for word in _words(text) if word in _MONTH_NUMBERS}
    if months:
        return _named(numbers, months)
    return _numbered(*numbers[:3]) if len(numbers) >= 3 else ""


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


def _named(numbers: list[str], months: set[str]) -> str:
    """A day and a year beside a month's name; what follows is a time."""
    if len(months) > 1 or len(numbers) < 2:
        return ""
    first, second = numbers[:2]
    month = months.pop()
    return _date(second, month, first) or _date(first, month, second)


def _numbered(first: str, second: str, third: str) -> str:
    if _is_year(first):
        return _date(first, second, third) or _date(first, third, second)
    return _date(third, first, second) or _date(third, second, first)


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
