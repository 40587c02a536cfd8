"""What is wrong within somebody's borders, for pages. All of it is read by the index of open incidents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from django.db.models import Case, Count, Min, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.borders import Borders
from accounts.models import Tenant
from alerts.models import Incident, RuleName
from alerts.rules.table import RANK
from common import budget
from common.cursors import clean_page_size, decode_cursor, encode_cursor
from events.delivery.entries import Slice, moment
from events.models.log import microseconds

#: Of an account, so many incidents are shown that have closed, and those of so many days.
CLOSED_SHOWN = 25
CLOSED_FOR = timedelta(days=7)


def open_incidents(borders: Borders, tenant: Tenant | None = None) -> QuerySet[Incident]:
    """Those that are open, of the account or of all that are visible: the worst first, then the oldest."""
    ranks = (When(rule=name, then=Value(rank)) for name, rank in RANK.items())
    incidents: QuerySet[Incident] = Incident.objects.visible_to(borders).filter(closed_at=None)
    if tenant:
        incidents = incidents.filter(tenant=tenant)
    return incidents.order_by(Case(*ranks, default=Value(len(RANK))), "opened_at", "pk")


def closed_incidents(borders: Borders, tenant: Tenant, now: datetime | None = None) -> QuerySet[Incident]:
    """The account's that closed in the last days, the last first."""
    since = (now or timezone.now()) - CLOSED_FOR
    incidents: QuerySet[Incident] = Incident.objects.visible_to(borders).filter(tenant=tenant, closed_at__gte=since)
    return incidents.order_by("-closed_at", "-pk")[:CLOSED_SHOWN]


def list_incidents(
    borders: Borders,
    tenant: Tenant | None,
    *,
    is_open: bool | None = None,
    rule: RuleName | None = None,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Slice[Incident]:
    """A page of the incidents of the account, or of all that are visible, open or over: the last found first."""
    size = clean_page_size(first)
    # Rows of another version have no words.
    incidents: QuerySet[Incident] = Incident.objects.visible_to(borders).filter(rule__in=[rule] if rule else list(RANK))
    if tenant:
        incidents = incidents.filter(tenant=tenant)
    if is_open is not None:
        incidents = incidents.filter(closed_at__isnull=is_open)
    has_previous = False
    if after:
        place, pk = cast("list[int]", decode_cursor(after, int, int))
        opened_at = moment(place)
        behind = Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, pk__lt=pk)
        has_previous = with_previous and incidents.exclude(behind).exists()
        incidents = incidents.filter(behind)
    rows = list(incidents.order_by("-opened_at", "-pk")[: size + 1])
    budget.load(len(rows), "incidents")
    return Slice.of(rows, size, has_previous=has_previous)


def cursor_of(incident: Incident) -> str:
    """The incident's place, for the next page."""
    return encode_cursor(microseconds(incident.opened_at), incident.pk)


def count_open(borders: Borders, tenant: Tenant | None) -> Combinable:
    """How many are open, of the account or of all, as a part of another query."""
    incidents = Incident.objects.visible_to(borders).filter(closed_at=None)
    incidents = incidents.filter(tenant=tenant) if tenant else incidents
    counts = incidents.order_by().annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts), 0)


class Broken(NamedTuple):
    """A rule that is broken in an account, how often, and where one of these is."""

    rule: RuleName
    times: int
    one: Incident


def open_rules(borders: Borders, tenant_ids: Iterable[str]) -> dict[str, list[Broken]]:
    """By account, the rules that are broken in it, the worst first: one query for a page of accounts."""
    # None of another version, which has no words.
    rows = Incident.objects.visible_to(borders).filter(closed_at=None, tenant__in=list(tenant_ids), rule__in=list(RANK))
    groups = rows.order_by().values_list("tenant_id", "rule").annotate(n=Count("pk"), first=Min("subject"))
    found: dict[str, list[Broken]] = {}
    for tenant_id, rule, count, subject in groups:
        one = Incident(tenant_id=tenant_id, rule=rule, subject=subject)
        found.setdefault(tenant_id, []).append(Broken(RuleName(rule), count, one))
    return {tenant_id: sorted(rules, key=lambda each: RANK[each.rule]) for tenant_id, rules in found.items()}
