"""Counts of events, each road's and both roads' together (docs/decisions/0024-the-store.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, sub
from typing import Any, NamedTuple, Self

from django.db.models import F, Sum, Value
from django.db.models.expressions import Combinable

from events.models import Road


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


_NOTHING = Value(0)


def sums_of(*fates: str, columns: Collection[str]) -> dict[str, Combinable]:
    """The sums of counters to read: of the first ``fates`` of ``Counts``, on both roads, then those of browsers.

    ``columns`` are those that the table has; a fate that it does not count is nought.
    """
    together = {f"{fate}_together": _sum(_columns(fate, columns)) for fate in fates}
    by_browser = {fate: [name] if (name := f"browser_{fate}") in columns else [] for fate in fates}
    return together | {f"{fate}_by_browser": _sum(names) for fate, names in by_browser.items()}


def _columns(fate: str, columns: Collection[str]) -> list[str]:
    """What to add up for a fate: for "dropped" a column for each reason."""
    if fate == "dropped":
        return sorted(name for name in columns if name.startswith("dropped_"))
    return [fate] if fate in columns else []


def _sum(columns: Sequence[str]) -> Combinable:
    return Sum(reduce(add, map(F, columns))) if columns else _NOTHING
