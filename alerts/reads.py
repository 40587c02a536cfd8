"""What is wrong within somebody's borders, for pages. All of it is read by the index of open incidents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Case, Count, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.borders import Borders
from accounts.models import Tenant
from alerts.models import Incident, RuleName
from alerts.rules.table import RANK

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


def count_open(borders: Borders, tenant: Tenant | None) -> Combinable:
    """How many are open, of the account or of all, as a part of another query."""
    incidents = Incident.objects.visible_to(borders).filter(closed_at=None)
    incidents = incidents.filter(tenant=tenant) if tenant else incidents
    counts = incidents.order_by().annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts), 0)


def open_rules(borders: Borders, tenant_ids: Iterable[str]) -> dict[str, list[RuleName]]:
    """By account, the rules that are broken in it, the worst first: one query for a page of accounts."""
    rows = Incident.objects.visible_to(borders).filter(closed_at=None, tenant__in=list(tenant_ids))
    found: dict[str, list[RuleName]] = {}
    for tenant_id, rule in rows.order_by().values_list("tenant_id", "rule").distinct():
        if rule in RANK:  # not one of another version
            found.setdefault(tenant_id, []).append(RuleName(rule))
    return {tenant_id: sorted(rules, key=RANK.__getitem__) for tenant_id, rules in found.items()}
