"""What templates may do with values: filters of Liquid and a few of ours, within bounds.

Liquid's own have none: ``replace`` and ``join`` can make gigabytes of a short text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from liquid.builtin.filters import math, misc, string
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.filter import string_filter
from liquid.undefined import is_undefined

#: Of a text that a filter takes or makes, in characters.
TEXT_MAX_LENGTH = 16_384
#: Of a whole number that a filter takes or makes.
NUMBER_MAX_BITS = 128
_DATE_FORMAT_MAX_LENGTH = 100

_is_date_format = re.compile(r"(?:[^%]|%[aAbBdHIjmMpSyYzZ%])*").fullmatch


def _check_size(value: object) -> None:
    if isinstance(value, str) and len(value) > TEXT_MAX_LENGTH:
        raise FilterArgumentError(f"texts have at most {TEXT_MAX_LENGTH} characters here", token=None)
    if isinstance(value, int) and value.bit_length() > NUMBER_MAX_BITS:
        raise FilterArgumentError(f"numbers have at most {NUMBER_MAX_BITS} bits here", token=None)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, where what it takes and makes is within bounds; and with errors of Liquid's family alone."""

    @wraps(function)
    def checked(*values: Any, **options: Any) -> Any:
        for value in (*values, *options.values()):
            _check_size(value)
        try:
            result = function(*values, **options)
        except LiquidError:
            raise
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError, RecursionError):
            raise FilterArgumentError(f"{name} cannot be used on this value", token=None) from None
        _check_size(result)
        return result

    return checked


@string_filter
def _replace(text: str, old: str, new: str = "") -> str:
    old, new = str(old), str(new)
    if len(text) + text.count(old) * len(new) > TEXT_MAX_LENGTH:
        raise FilterArgumentError(f"texts have at most {TEXT_MAX_LENGTH} characters here", token=None)
    return text.replace(old, new)


def _join(values: object, separator: str = " ") -> str:
    if not isinstance(values, list | tuple):
        return "" if values is None or is_undefined(values) else str(values)
    joined, left = [], TEXT_MAX_LENGTH
    for value in values:
        joined.append("" if value is None else str(value))
        left -= len(joined[-1]) + len(separator)
        if left < 0:
            raise FilterArgumentError(f"texts have at most {TEXT_MAX_LENGTH} characters here", token=None)
    return separator.join(joined)


def _date(seconds: object, form: str) -> str:
    """A moment in Unix seconds, in UTC."""
    if seconds is None or is_undefined(seconds):
        return ""
    if len(form) > _DATE_FORMAT_MAX_LENGTH or not _is_date_format(form):
        raise FilterArgumentError("date takes a format such as %Y-%m-%dT%H:%M:%SZ", token=None)
    return datetime.fromtimestamp(float(str(seconds)), UTC).strftime(form)


def _as_json(value: object) -> str:
    return json.dumps(None if is_undefined(value) else value, allow_nan=False)


def _first(values: object) -> object:
    return values[0] if isinstance(values, list | tuple) and values else None


def _last(values: object) -> object:
    return values[-1] if isinstance(values, list | tuple) and values else None


_UNBOUNDED: dict[str, Callable[..., Any]] = {
    "abs": math.abs_,
    "append": string.append,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "base64_encode": string.base64_encode,
    "capitalize": string.capitalize,
    "ceil": math.ceil,
    "date": _date,
    "default": misc.default,
    "divided_by": math.divided_by,
    "downcase": string.downcase,
    "first": _first,
    "floor": math.floor,
    "join": _join,
    "json": _as_json,
    "last": _last,
    "lstrip": string.lstrip,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "prepend": string.prepend,
    "remove": string.remove,
    "replace": _replace,
    "round": math.round_,
    "rstrip": string.rstrip,
    "size": misc.size,
    "slice": string.slice_,
    "strip": string.strip,
    "times": math.times,
    "truncate": string.truncate,
    "upcase": string.upcase,
    "url_encode": string.url_encode,
}
FILTERS = {name: _bounded(name, function) for name, function in _UNBOUNDED.items()}
