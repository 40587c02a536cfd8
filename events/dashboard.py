"""What staff see first: how the instance is doing. A few bounded queries, whatever the number of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Model

from accounts.models import Tenant, TenantStatus
from accounts.principals import Principal
from common import partitions
from events.delivery.explanations import explain_wait
from events.delivery.log.keeping import estimated_size_of_log
from events.figures.accounts import Part, summed
from events.figures.books import DESTINATIONS, PIXELS, SOURCES
from events.figures.roads import ByRoad
from events.figures.windows import last_minutes
from events.models import (
    Counter,
    DeadLetter,
    DestinationLetter,
    DestinationRow,
    Lane,
    OutboxRow,
    SourceRow,
)
from pixels.models import Pixel
from pixels.states import FAILING, PixelState, failing_first, with_state

if TYPE_CHECKING:
    from pixels.states import StatedPixel

#: Counting stops here: beyond it, more is all that one needs to know.
COUNTED = 10_000
PIXELS_SHOWN = 10
_DAY = 24 * 60


class Status(NamedTuple):
    """How many accounts have a status; ``query`` is its value, for addresses."""

    query: str
    label: str
    accounts: int


class FailingPixel(NamedTuple):
    """A pixel whose events do not reach Meta, and since how many attempts."""

    pk: int
    name: str
    account: str
    state: PixelState
    failures: int
    retry_at: datetime | None
    code: str
    explanation: str


class GatewayFigures(NamedTuple):
    """What passed at gateway sources and destinations: an event is received once, and sent to each destination.

    Counts of what waits and was refused end at ``COUNTED``.
    """

    received: ByRoad
    fates: ByRoad
    waiting_requests: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures; a count of ``COUNTED`` means so many or more."""

    statuses: list[Status]
    passed: ByRoad
    waiting_requests: int
    oldest_waiting: datetime | None
    dead_letters: int
    failing: list[FailingPixel]
    gateway: GatewayFigures
    #: Of the delivery log, and the most that it may have. On SQLite, the former is an estimate.
    log_bytes: int
    log_max_bytes: int
    log_is_estimated: bool

    COUNTED = COUNTED


def read_dashboard(principal: Principal) -> Dashboard:
    """The figures of all accounts; the failing pixels of those that are open to the principal."""
    tables = OutboxRow, DeadLetter, SourceRow, DestinationRow, DestinationLetter
    waiting, letters, of_sources, apart, of_destinations = _counted(*tables)
    of_pixels, received, fates = _passed()
    return Dashboard(
        statuses=_statuses(),
        passed=of_pixels,
        waiting_requests=waiting,
        oldest_waiting=OutboxRow.objects.order_by("pk").values_list("received_at", flat=True).first(),
        dead_letters=letters,
        failing=_failing(principal),
        gateway=GatewayFigures(
            received=received,
            fates=fates,
            waiting_requests=min(of_sources + apart, COUNTED),
            dead_letters=of_destinations,
        ),
        log_bytes=estimated_size_of_log() if settings.DELIVERY_LOG_DAYS else 0,
        log_max_bytes=settings.DELIVERY_LOG_MAX_BYTES if settings.DELIVERY_LOG_DAYS else 0,
        log_is_estimated=not partitions.are_used(),
    )


def _passed() -> list[ByRoad]:
    """What all pixels, sources and destinations counted in the last 24 hours: one query."""
    parts = [Part(PIXELS), Part(SOURCES), Part(DESTINATIONS)]
    fates, total = ("received", "published", "failed"), Counter.Dimension.TOTAL
    rows = summed(parts, last_minutes(_DAY), fates, dimension=total)
    found = {row.part: row.counts for row in rows}
    return [found.get(number, ByRoad()) for number in range(len(parts))]


def _counted(*tables: type[Model]) -> list[int]:
    """How many rows each has, up to COUNTED: one query for all."""
    counts = [f"(SELECT COUNT(*) FROM (SELECT 1 FROM {table._meta.db_table} LIMIT %s) AS counted)" for table in tables]  # noqa: S608  # nosec B608  # our names
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", [COUNTED] * len(tables))
        return list(cursor.fetchone())


def _statuses() -> list[Status]:
    counts = dict(Tenant.objects.order_by().values_list("status").annotate(Count("pk")))
    return [Status(str(status.value), str(status.label), counts.get(status.value, 0)) for status in TenantStatus]


def _failing(principal: Principal) -> list[FailingPixel]:
    """Those that the lists of pixels call failing, the worst first."""
    pixels = (
        with_state(Pixel.objects.visible_to(principal.borders))
        .filter(state__in=FAILING)
        .select_related("tenant", "lane")
        .defer("access_token")
        .order_by(failing_first(), F("lane__failures").desc(nulls_last=True), "pk")[:PIXELS_SHOWN]
    )
    return [_failing_pixel(pixel) for pixel in pixels]


def _failing_pixel(pixel: StatedPixel) -> FailingPixel:
    lane = getattr(pixel, "lane", None) or Lane()  # a pixel that has published nothing yet has none
    return FailingPixel(
        pk=pixel.pk,
        name=str(pixel),
        account=pixel.tenant.name,
        state=PixelState(pixel.state),
        failures=lane.failures,
        retry_at=lane.retry_at,
        code=pixel.api_error_code or "",
        explanation=explain_wait(pixel.api_error_code, lane.silence),
    )
