"""What was refused of late, for pages, API and alerts.

Whoever asks has made sure that the principal may look into the owner's account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Tenant
from events.figures import books
from events.figures.windows import floor
from events.findings import ROADS
from events.intake.rules import Rule, explain
from events.models import Counter, Finding, Road
from events.owners import KINDS, PIXELS, SOURCES, Owner, Tables, tables_of
from events.refused.writing import KEPT
from pixels.models import Pixel

#: Kinds of refusals that a page shows, the most frequent first; and pixels and sources of an account.
MAX_SHOWN, MAX_OWNERS = 50, 100
SHOWN = timedelta(hours=24)
_KINDS = (Finding.Kind.REFUSED, Finding.Kind.NOT_LET_IN)


class Shown(NamedTuple):
    """How often requests were refused for one field and rule."""

    field: str
    reason: str
    #: Or were they not let in?
    is_let_in: bool
    requests: int
    #: Of which so many came from browsers.
    browser: int
    #: How many events they held.
    events: int
    last_hour: datetime

    @property
    def explanation(self) -> str:
        """The rule in words."""
        return explain(self.reason)


class OfOwner(NamedTuple):
    """How often requests for a pixel or source were refused."""

    owner: Owner
    requests: int

    @property
    def id(self) -> str:
        """What its senders call it by."""
        return id_of(self.owner)


class Share(NamedTuple):
    """How many events of a pixel or source were refused within an hour, and how many received."""

    refused: int
    received: int

    @property
    def share(self) -> float:
        """From 0.0 to 1.0."""
        return self.refused / (self.refused + self.received) if self.refused else 0.0


def id_of(owner: Owner) -> str:
    """What senders call a pixel or source by."""
    return owner.pixel_id if isinstance(owner, Pixel) else owner.source_id


def read_refused(owner: Owner, now: datetime | None = None, *, since: datetime | None = None) -> list[Shown]:
    """What was refused in the last 24 hours, or in the hours after ``since``: the most frequent first."""
    since = since or (now or timezone.now()) - SHOWN
    rows = tables_of(owner).findings_of(owner.pk).filter(kind__in=_KINDS, hour__gt=since)
    found = rows.values_list("field", "reason", "kind").annotate(
        requests=Sum("count"),
        browser=Sum("count", filter=Q(road=ROADS[Road.BROWSER]), default=0),
        of_events=Sum("events"),
        last_hour=Max("hour"),
    )
    return [
        Shown(field, reason, kind == Finding.Kind.REFUSED, *numbers)
        for field, reason, kind, *numbers in found.order_by("kind", "-requests", "field", "reason")[:MAX_SHOWN]
    ]


def read_last_refused(owner: Owner) -> list[Any]:
    """The last 100 requests, the newest first: rows of ``RefusedRequest`` or ``SourceRefusedRequest``."""
    tables = tables_of(owner)
    return list(tables.requests._default_manager.filter(**{tables.column: owner.pk}).order_by("-pk")[:KEPT])


def read_refused_of(tenant: Tenant, now: datetime | None = None) -> list[OfOwner]:
    """The account's pixels and sources for which requests were refused in the last 24 hours, the most first."""
    found: list[OfOwner] = []
    for tables in KINDS:
        of_owner = _of_account(tables, tenant, now).values_list(tables.column).annotate(n=Sum("count"))
        numbers = dict(of_owner.order_by("-n")[:MAX_OWNERS])
        there: QuerySet[Any] = tables.owner._default_manager.filter(pk__in=numbers)
        if numbers:
            there = there.defer("access_token") if tables is PIXELS else there
            found += [OfOwner(owner, numbers[owner.pk]) for owner in there]
    return sorted(found, key=lambda one: -one.requests)


def refused_shares(hour: datetime, pixels: Iterable[int] | None = None, *, hours: int = 1) -> dict[int, Share]:
    """By pixel (its key): how many of the events that came within the hour were refused, by a sender's mistake.

    Of pixels of which none was, nothing is said: the cost follows the pixels with refusals. What was not let in does
    not count, so that no stranger raises the share of a pixel that asks for its key; nor does what reached the limit of
    requests, since it comes again. A request that nobody could read counts as one event. ``hour`` is any moment within
    it; of the one that has not ended, it is what was counted until about a second ago. With ``hours``, those before
    it are added.
    """
    return _shares(PIXELS, books.PIXELS, hour, pixels, hours)


def refused_shares_of_sources(
    hour: datetime, sources: Iterable[int] | None = None, *, hours: int = 1
) -> dict[int, Share]:
    """The same of gateway sources."""
    return _shares(SOURCES, books.SOURCES, hour, sources, hours)


def _shares(
    tables: Tables, book: books.Book, moment: datetime, owners: Iterable[int] | None, hours: int
) -> dict[int, Share]:
    last = floor(moment, Counter.Span.HOUR)
    starts = [last - timedelta(hours=back) for back in range(hours)]
    rows = tables.findings._default_manager.filter(hour__in=starts, kind=Finding.Kind.REFUSED)
    rows = rows.exclude(reason=Rule.RATE_LIMIT)
    if owners is not None:
        rows = rows.filter(**{f"{tables.column}__in": list(owners)})
    refused = dict(rows.order_by().values_list(tables.column).annotate(n=Sum("events")))
    if not refused:
        return {}
    totals = book.counter._default_manager.filter(
        **{f"{tables.column}__in": list(refused)}, span=Counter.Span.HOUR, dimension=Counter.Dimension.TOTAL
    )
    sums = totals.filter(start__in=starts).order_by().values_list(tables.column)
    received = dict(sums.annotate(n=Sum("received")))
    return {pk: Share(n, received.get(pk, 0)) for pk, n in refused.items()}


def _of_account(tables: Tables, tenant: Tenant, now: datetime | None) -> QuerySet[Any]:
    """Looked for owner by owner, as the index of findings is."""
    owners = tables.owner._default_manager.filter(tenant=tenant).order_by().values("pk")
    rows = tables.findings._default_manager.filter(kind=Finding.Kind.REFUSED)
    return rows.filter(**{f"{tables.column}__in": owners}, hour__gt=(now or timezone.now()) - SHOWN)
