"""What staff see first: how the instance is doing. A few bounded queries, whatever the number of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db.models import Count, F

from accounts.models import Tenant, TenantStatus
from accounts.principals import Principal
from common import partitions
from events.delivery.explanations import explain_wait
from events.delivery.log.keeping import estimated_size_of_log
from events.figures.roads import ByRoad, sums_of
from events.figures.windows import last_minutes, within
from events.models import Counter, DeadLetter, Lane, OutboxRow
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


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures; a count of ``COUNTED`` means so many or more."""

    statuses: list[Status]
    passed: ByRoad
    waiting_requests: int
    oldest_waiting: datetime | None
    dead_letters: int
    failing: list[FailingPixel]
    #: Of the delivery log, and the most that it may have. On SQLite, the former is an estimate.
    log_bytes: int
    log_max_bytes: int
    log_is_estimated: bool

    COUNTED = COUNTED


def read_dashboard(principal: Principal) -> Dashboard:
    """The figures of all accounts; the failing pixels of those that are open to the principal."""
    totals = Counter.objects.filter(within(last_minutes(_DAY), dimension=Counter.Dimension.TOTAL))
    passed = totals.aggregate(**sums_of("received", "published"))
    return Dashboard(
        statuses=_statuses(),
        passed=ByRoad.read([n or 0 for n in passed.values()]),  # None where nothing was counted
        waiting_requests=OutboxRow.objects.order_by()[:COUNTED].count(),
        oldest_waiting=OutboxRow.objects.order_by("pk").values_list("received_at", flat=True).first(),
        dead_letters=DeadLetter.objects.order_by()[:COUNTED].count(),
        failing=_failing(principal),
        log_bytes=estimated_size_of_log() if settings.DELIVERY_LOG_DAYS else 0,
        log_max_bytes=settings.DELIVERY_LOG_MAX_BYTES if settings.DELIVERY_LOG_DAYS else 0,
        log_is_estimated=not partitions.are_used(),
    )


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
