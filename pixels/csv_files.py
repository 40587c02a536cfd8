"""Reading a CSV file of pixels: its form alone, what a line means is the import's to judge. No message has a cell."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from typing import NamedTuple

from common.errors import InvalidInput

MAX_BYTES = 1_048_576
MAX_ROWS = 1_000
REQUIRED = ("pixel_id", "business_id", "access_token")
OPTIONAL = ("name", "external_id", "api_version")
COLUMNS = (*REQUIRED, *OPTIONAL)
#: Spreadsheets separate by what their language uses.
_DELIMITERS = ",;\t"


class Line(NamedTuple):
    """A line of the file: its number, and its cells by column; None where there are too few or too many."""

    number: int
    cells: dict[str, str] | None


def read_lines(content: bytes) -> list[Line]:
    """The lines below the header; InvalidInput where this is no CSV file with the columns."""
    if len(content) > MAX_BYTES:
        raise InvalidInput("file", "must have at most 1 MiB.")
    text = _decoded(content)
    if "\0" in text:
        raise InvalidInput("file", "must be a CSV file.")
    header, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)
    # A quotation mark may stand in a cell as it is, but not open one that is never closed.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    try:
        columns = _columns(next(reader, []))
        for cells in _filled(reader):
            lines.append(Line(reader.line_num, _by_column(columns, cells)))
            if len(lines) > MAX_ROWS:
                raise InvalidInput("file", "must have at most {limit:,} pixels.", limit=MAX_ROWS)
    except csv.Error:
        raise InvalidInput("file", "is no CSV file: line {line} cannot be read.", line=reader.line_num) from None
    if not lines:
        raise InvalidInput("file", "must have a line for each pixel below the columns' names.")
    return lines


def _decoded(content: bytes) -> str:
    """The text: UTF-8, or UTF-16 as spreadsheets save "Unicode text", which begins with a mark."""
    try:
        return content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("file", "must be text in UTF-8: save it as “CSV UTF-8”.") from None


def _columns(header: list[str]) -> list[str]:
    columns = [cell.strip().lower().replace(" ", "_") for cell in header]
    if not set(REQUIRED) <= set(columns):
        raise InvalidInput(
            "file", "must name its columns in the first line; pixel_id, business_id and access_token are needed."
        )
    unknown = [place for place, column in enumerate(columns, 1) if column not in COLUMNS]
    if unknown:
        raise InvalidInput("file", "has a column that is not known, at place {place}.", place=unknown[0])
    if len(set(columns)) < len(columns):
        raise InvalidInput("file", "must name each column once.")
    return columns


def _filled(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if any(cell.strip() for cell in row))


def _by_column(columns: list[str], cells: list[str]) -> dict[str, str] | None:
    if len(cells) != len(columns):
        return None
    return {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
