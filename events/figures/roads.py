"""Counts of events, each road's and both roads' together (docs/decisions/0024-the-store.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, sub
from typing import Any, NamedTuple, Self

from django.db.models import F, Sum
from django.db.models.expressions import Combinable

from events.models import Counter, Road


class Counts(NamedTuple):
    """How many events met which fate; nought, too, of a fate that was not asked for."""

    received: int = 0
    published: int = 0
    failed: int = 0
    expired: int = 0
    dropped: int = 0

    @property
    def attempted(self) -> int:
        """The events that Meta has decided about."""
        return self.published + self.failed

    @property
    def success_rate(self) -> float:
        """The part of the attempts that succeeded; 0.0 without any."""
        return self.published / self.attempted if self.attempted else 0.0


NOTHING = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRoad:
    """Counts of both roads together, and of browsers among these."""

    together: Counts = NOTHING
    browser: Counts = NOTHING

    @property
    def server(self) -> Counts:
        """What did not come from browsers."""
        return Counts(*map(sub, self.together, self.browser))

    def on(self, road: Road) -> Counts:
        """What came by the road."""
        return self.browser if road is Road.BROWSER else self.server

    @classmethod
    def read(cls, values: Sequence[int], **others: Any) -> Self:
        """From what a query read by ``sums_of``."""
        half = len(values) // 2
        return cls(together=Counts(*values[:half]), browser=Counts(*values[half:]), **others)

    @classmethod
    def added(cls, parts: Collection[ByRoad], **others: Any) -> Self:
        """All of the parts."""
        together, browser = _added(part.together for part in parts), _added(part.browser for part in parts)
        return cls(together=together, browser=browser, **others)


def _added(parts: Iterable[Counts]) -> Counts:
    return Counts(*map(sum, zip(NOTHING, *parts, strict=True)))


#: Why events were dropped is counted apart, on both roads together.
_DROPPED = [field.name for field in Counter._meta.concrete_fields if field.name.startswith("dropped_")]


def sums_of(*fates: str, reasons: Sequence[str] = _DROPPED) -> dict[str, Sum]:
    """The sums of counters to read: of the first ``fates`` of ``Counts``, on both roads, then those of browsers.

    ``reasons`` are the columns that tell why events were dropped.
    """
    together = {f"{fate}_together": Sum(_column(fate, reasons)) for fate in fates}
    return together | {f"{fate}_by_browser": Sum(f"browser_{fate}") for fate in fates}


def _column(fate: str, reasons: Sequence[str]) -> Combinable:
    return reduce(add, map(F, reasons)) if fate == "dropped" else F(fate)
