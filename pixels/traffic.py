"""What passed on pixels. The events app counts it, and this app may not know that one: it is asked here.

Whoever counts gives itself to ``read_traffic_with`` at start. Until then nothing passes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from django.db.models import Exists, Value
from django.db.models.expressions import Combinable

from common.statements import NOTHING


class Totals(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One pixel's events over a time."""

    received: int = 0
    published: int = 0
    failed: int = 0
    #: Requests that Meta refused or did not answer. What they held may have been sent since.
    errors: int = 0
    #: Of the events, those that came from browsers.
    browser_received: int = 0
    browser_published: int = 0

    @property
    def attempted(self) -> int:
        """The events that Meta has decided about."""
        return self.published + self.failed


class Column(NamedTuple):
    """What is told of each pixel of a ``Statement``, and the values of the ``Param`` in it.

    Requests that differ in values alone share one expression: it is a key of the statement.
    """

    expression: Combinable
    values: Mapping[str, Any]


class TrafficReader(Protocol):
    """What counts. Pixels are told by primary key; one without traffic may be missing in an answer."""

    def totals(self, pixels: Collection[int], minutes: int) -> Mapping[int, Totals]:
        """The events of each pixel over the last ``minutes``."""

    def totals_column(self, minutes: int) -> Column:
        """Received and published events as rows of ``Totals``, null for a pixel without traffic."""

    def happened(self, column: str, minutes: int, now: datetime) -> Exists:
        """Were there events of this fate on the pixel that a query's row is about?"""

    def websites(self, pixels: Collection[int]) -> Mapping[int, Sequence[str]]:
        """The websites seen on each pixel's events of late."""


_reader: TrafficReader | None = None


def read_traffic_with(reader: TrafficReader | None) -> None:
    """Ask ``reader`` from now on, nobody where it is None."""
    global _reader  # noqa: PLW0603  # set once, when the process starts
    _reader = reader


def read_totals(pixels: Collection[int], minutes: int) -> Mapping[int, Totals]:
    """The events of each pixel over the last ``minutes``."""
    return _reader.totals(pixels, minutes) if _reader else {}


def happened(column: str, minutes: int, now: datetime) -> Exists | Value:
    """Were there events of this fate, ``published`` or ``failed``, on a query's pixel in the last ``minutes``?"""
    return _reader.happened(column, minutes, now) if _reader else Value(False)


def totals_column(minutes: int) -> Column:
    """Received and published events of a statement's pixels over the last ``minutes``: rows of ``Totals``, or null."""
    return _reader.totals_column(minutes) if _reader else Column(NOTHING, {})


def read_websites(pixels: Collection[int]) -> Mapping[int, Sequence[str]]:
    """The websites seen on each pixel's events of late."""
    return _reader.websites(pixels) if _reader else {}
