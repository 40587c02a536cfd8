"""What passed on pixels. The events app counts it, and this app may not know that one: it is asked here.

Whoever counts gives itself to ``read_traffic_with`` at start. Until then nothing passes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Totals(NamedTuple):
    """One pixel's events over a time."""

    received: int = 0
    published: int = 0


class TrafficReader(Protocol):
    """What counts. Pixels are told by primary key; one without traffic may be missing in an answer."""

    def totals(self, pixels: Collection[int], minutes: int) -> Mapping[int, Totals]:
        """The events of each pixel over the last ``minutes``."""

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


def read_websites(pixels: Collection[int]) -> Mapping[int, Sequence[str]]:
    """The websites seen on each pixel's events of late."""
    return _reader.websites(pixels) if _reader else {}
