"""An advertiser's own filter (customIntegrityScript): the source of a function for visitors' browsers.

It never runs here. When it is saved it is compiled, by an engine that knows the language as browsers do: a function
that is made of a text runs nothing of the text before it is called.
"""

from __future__ import annotations

import json
import re

import quickjs

from common.errors import InvalidInput
from pipelines.validation import clean_script

_MEMORY_BYTES = 16 * 1024 * 1024
_SECONDS = 1
#: Lines before the filter's first in what is compiled: one of the function's head, and the one with the bracket.
_LINES_BEFORE = 3
_SAID = re.compile(r"(?P<what>.*?)(?:\n.*?:(?P<line>\d+):\d+)?(?:\n|\Z)", re.DOTALL)


def expression_of(source: str) -> str:
    """The function alone: people end it with a semicolon, as they end statements."""
    return source.strip().rstrip("; \t\r\n")


def clean_filter(field: str, source: str) -> str:
    """The source as it is stored; InvalidInput unless browsers can read it. An empty one is no filter."""
    source = clean_script(field, source)
    expression = expression_of(source)
    if not expression:
        return source
    # One expression is one between any brackets; a text that closes those around it is none.
    for opening, closing in ("()", "[]"):
        _compile(field, f"return {opening}\n{expression}\n{closing}")
    return source


def _compile(field: str, body: str) -> None:
    context = quickjs.Context()
    context.set_memory_limit(_MEMORY_BYTES)
    context.set_time_limit(_SECONDS)
    try:
        context.eval(f"new Function({json.dumps(body)}), 0")
    except (quickjs.JSException, quickjs.StackOverflow) as error:
        what, line = _said(str(error))
        raise InvalidInput(
            field, "must be a function that browsers can read. From line {line} on: {what}", line=line, what=what
        ) from None


def _said(error: str) -> tuple[str, int]:
    """What is wrong, in the engine's words, and from which line of the filter on; without a line, from the first."""
    found = _SAID.match(error)
    line = int(found["line"]) - _LINES_BEFORE if found and found["line"] else 1
    return (found["what"] if found else "").strip(), max(1, line)
