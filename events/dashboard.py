"""What staff see first: how the instance is doing. A few bounded queries, whatever the number of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from accounts.models import Tenant, TenantStatus
from accounts.principals import Principal
from events.explanations import explain_wait
from events.models import Counter, DeadLetter, Lane, OutboxRow
from events.windows import last_minutes, within

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
    """A pixel whose token Meta rejects, or whose last attempts to publish have failed."""

    pk: int
    name: str
    account: str
    bad_token: bool
    failures: int
    retry_at: datetime | None
    code: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures; a count of ``COUNTED`` means so many or more."""

    statuses: list[Status]
    received: int
    published: int
    waiting_requests: int
    oldest_waiting: datetime | None
    dead_letters: int
    failing: list[FailingPixel]

    COUNTED = COUNTED


def read_dashboard(principal: Principal) -> Dashboard:
    """The figures of all accounts; the failing pixels of those that are open to the principal."""
    passed = Counter.objects.filter(within(last_minutes(_DAY), dimension=Counter.Dimension.TOTAL)).aggregate(
        received=Sum("received", default=0), published=Sum("published", default=0)
    )
    return Dashboard(
        statuses=_statuses(),
        received=passed["received"],
        published=passed["published"],
        waiting_requests=OutboxRow.objects.order_by()[:COUNTED].count(),
        oldest_waiting=OutboxRow.objects.order_by("pk").values_list("received_at", flat=True).first(),
        dead_letters=DeadLetter.objects.order_by()[:COUNTED].count(),
        failing=_failing(principal),
    )


def _statuses() -> list[Status]:
    counts = dict(Tenant.objects.order_by().values_list("status").annotate(Count("pk")))
    return [Status(str(status.value), str(status.label), counts.get(status.value, 0)) for status in TenantStatus]


def _failing(principal: Principal) -> list[FailingPixel]:
    lanes = (
        Lane.objects.visible_to(principal)
        .filter(Q(failures__gt=0) | Q(pixel__bad_token=True))
        .select_related("pixel__tenant")
        .defer("pixel__access_token")
        .order_by("-pixel__bad_token", "-failures", "pk")[:PIXELS_SHOWN]
    )
    return [
        FailingPixel(
            pk=lane.pixel_id,
            name=str(lane.pixel),
            account=lane.pixel.tenant.name,
            bad_token=lane.pixel.bad_token,
            failures=lane.failures,
            retry_at=lane.retry_at,
            code=lane.pixel.api_error_code or "",
            explanation=explain_wait(lane.pixel.api_error_code, lane.silence),
        )
        for lane in lanes
    ]
