"""What passed at gateway sources and destinations, and the dead letters of these, of one account.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.db.models.expressions import Combinable

from accounts.models import Tenant
from common import budget
from common.errors import InvalidInput
from events.delivery.ends import has_waiting
from events.delivery.entries import Slice
from events.delivery.reads import page_of_letters
from events.figures.books import DESTINATIONS, SOURCES
from events.figures.metrics import most_counters
from events.figures.roads import ByRoad, sums_of
from events.figures.windows import last_minutes, within
from events.gateway.lacking import Lack
from events.models import Counter, DestinationCounter, DestinationLetter, Road, SourceCounter
from pipelines.ids import DESTINATION, id_of, read_id
from pipelines.lookups import find_gateway_destination, find_gateway_source, no_such_destination, no_such_source
from pipelines.models import Source

#: Names that a page shows.
MAX_NAMES = 50

_REASONS = ("dropped_by_event_filter", "dropped_by_domain_filter", "dropped_publishing_off")
#: The fates of ``Counts``, in its order.
_FATES = ("received", "published", "failed", "expired", "dropped")


class SourceFigures(NamedTuple):
    """Events of a source: each counted once, wherever it went."""

    source_id: str
    received: int = 0
    browser_received: int = 0
    dropped_receiving_off: int = 0


class NameFigures(NamedTuple):
    """Events of one name that came from a source; without a name, those of all that are beyond its names' limit."""

    name: str
    received: int
    #: Of which so many came from browsers.
    browser: int
    #: And so many went nowhere, since the source was disabled.
    dropped: int
    #: What some of them lack, and how many do; the most frequent first.
    lacks: list[tuple[Lack, int]]

    @property
    def server(self) -> int:
        """The others came from servers."""
        return self.received - self.browser


class QueueState(NamedTuple):
    """How it stands with sending to a destination."""

    held: bool
    retry_at: datetime | None
    #: The last answer that was no success, until there is one.
    code: str
    message: str
    last_published: datetime | None
    has_waiting: bool


class DestinationFigures(NamedTuple):
    """What became of the events that have come to a destination, and how it stands with sending."""

    destination_id: str
    queue: QueueState
    counts: ByRoad
    by_event_filter: int
    by_domain_filter: int
    publishing_off: int
    errors: int


def source_figures(tenant: Tenant, ids: Sequence[str] | None, minutes: int) -> list[SourceFigures]:
    """Of the named gateway sources, or of all, as they were made: the last ``minutes``. NotFound for others' ids."""
    wanted = _clean_ids("dataSourceIds", ids)
    sources = tenant.sources.filter(source_id__in=wanted) if wanted else tenant.sources.all()
    found = dict(sources.order_by("pk").values_list("pk", "source_id"))
    if len(found) < len(wanted):
        raise no_such_source("dataSourceIds")
    budget.load(len(found), "dataSourceFigures")
    columns = ("received", "browser_received", "dropped_receiving_off")
    sums = _sums(SourceCounter, "source", found, minutes, {name: Sum(name) for name in columns})
    return [SourceFigures(source_id, *sums.get(pk, ())) for pk, source_id in found.items()]


def activity_of(tenant: Tenant, source_id: str, minutes: int) -> list[NameFigures]:
    """What came from a gateway source in the last ``minutes``, by name; NotFound for others' ids."""
    source = find_gateway_source(tenant, source_id, field="dataSourceId")
    stretches, dimensions = last_minutes(minutes), [Counter.Dimension.EVENT_NAME]
    budget.load_estimated(lambda: most_counters([source.pk], dimensions, stretches, SOURCES), "dataSourceActivity")
    names = received_by_name(source, minutes, most=None)
    budget.load(len(names), "dataSourceActivity")
    return names


def received_by_name(source: Source, minutes: int = 60, *, most: int | None = MAX_NAMES) -> list[NameFigures]:
    """What came from the source in the last ``minutes``, the ``most`` frequent names first: one query."""
    told = {"source": source, "dimension": Counter.Dimension.EVENT_NAME}
    rows = SourceCounter.objects.filter(within(last_minutes(minutes), **told)).order_by().values_list("label")
    sums = rows.annotate(n=Sum("received"), of_browsers=Sum("browser_received"), not_taken=Sum("dropped_receiving_off"))
    sums = sums.annotate(**{f"sum_{lack.value}": Sum(lack.value) for lack in Lack})
    shown = sums.order_by("-n", "label")[:most]
    return [NameFigures(name, n, browser, dropped, _lacks(lacks)) for name, n, browser, dropped, *lacks in shown]


def _lacks(counts: Sequence[int]) -> list[tuple[Lack, int]]:
    found = [(lack, n) for lack, n in zip(Lack, counts, strict=True) if n]
    return sorted(found, key=lambda one: -one[1])


def destination_figures(tenant: Tenant, ids: Sequence[str] | None, minutes: int) -> list[DestinationFigures]:
    """Of the named gateway destinations, or of all, as they were made: the last ``minutes``. NotFound for others'."""
    wanted = _clean_ids("destinationIds", ids)
    uuids = [uuid for each in wanted if isinstance(uuid := read_id(DESTINATION, each), UUID)]
    destinations = tenant.destinations.filter(uuid__in=uuids) if wanted else tenant.destinations.all()
    lane = ("held", "retry_at", "code", "message", "last_published")
    rows = destinations.order_by("pk").annotate(waits=has_waiting())
    found = {pk: others for pk, *others in rows.values_list("pk", "uuid", *(f"lane__{name}" for name in lane), "waits")}
    if len(found) < len(wanted):
        raise no_such_destination("destinationIds")
    budget.load(len(found), "destinationFigures")
    by_road = sums_of(*_FATES, columns=DESTINATIONS.columns)
    others: dict[str, Combinable] = {name: Sum(name) for name in (*_REASONS, "publish_errors")}
    sums = _sums(DestinationCounter, "destination", found, minutes, by_road | others)
    nothing = [0] * (len(by_road) + len(others))
    return [_figures(others, sums.get(pk, nothing)) for pk, others in found.items()]


def _figures(row: Sequence[Any], sums: Sequence[int]) -> DestinationFigures:
    uuid, held, retry_at, code, message, last_published, waits = row
    queue = QueueState(bool(held), retry_at, code or "", message or "", last_published, bool(waits))
    first = 2 * len(_FATES)
    return DestinationFigures(id_of(DESTINATION, uuid), queue, ByRoad.read(sums[:first]), *sums[first:])


def _sums(
    counters: type[Any], owner: str, pks: Collection[int], minutes: int, sums: Mapping[str, Combinable]
) -> dict[int, list[int]]:
    """What is counted of each owner in the last ``minutes``: one query."""
    told = {f"{owner}__in": list(pks), "dimension": Counter.Dimension.TOTAL}
    rows = counters.objects.filter(within(last_minutes(minutes), **told)).order_by().values_list(owner)
    return {pk: values for pk, *values in rows.annotate(**{f"sum_{name}": each for name, each in sums.items()})}


def _clean_ids(field: str, ids: Sequence[str] | None) -> list[str]:
    limit = settings.GRAPHQL_MAX_LIST_LENGTH
    if len(ids or ()) > limit:
        raise InvalidInput(field, "must name at most {limit}.", limit=limit)
    return list(dict.fromkeys(ids or ()))


def list_letters(
    tenant: Tenant, destination_id: str, *, road: Road | None = None, **paging: Any
) -> Slice[DestinationLetter]:
    """The events that the destination refused, the last failure first; those of one road, where one is named."""
    destination = find_gateway_destination(tenant, destination_id, field="destinationId")
    letters = DestinationLetter.objects.filter(destination=destination).select_related("source")
    return page_of_letters(letters, "destinationDeadLetters", road=road, **paging)
