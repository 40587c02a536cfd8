"""The accounts as their list shows them: those with issues first, figures for the page that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Case, Count, Q, QuerySet, When
from django.db.models.functions import Coalesce

from accounts.models import Tenant, UsageSnapshot
from accounts.permissions import Action, allowed_actions
from accounts.principals import Principal

if TYPE_CHECKING:

    class ListedTenant(Tenant):
        """An account with what the list adds to it."""

        has_issues: bool
        events: int
        total_pixels: int
        total_active_pixels: int
        rejected_tokens: int
        publishing: str
        attempted: int
        can: dict[str, bool]


def listed_tenants(principal: Principal) -> QuerySet[Tenant]:
    """The visible accounts, those first that need somebody: publishing fails, or Meta rejects an access token.

    Of an account that is closed to the principal only its usage tells of issues.
    """
    rejected = Tenant.objects.open_to(principal.borders).filter(pixels__bad_token=True).order_by().values("pk")
    issues = Q(usage__publish_error=True) | Q(pk__in=rejected)
    return (
        Tenant.objects.visible_to(principal.borders)
        .select_related("usage")
        .annotate(
            has_issues=Case(When(issues, then=True), default=False),
            events=Coalesce("usage__total_events_received", 0),
        )
        .order_by("-has_issues", "name", "pk")
    )


def complete_page(principal: Principal, tenants: Sequence[Tenant]) -> list[ListedTenant]:
    """Add to the accounts of one page the counts of their pixels and what the principal may do: one query."""
    counted: QuerySet[Any] = Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants]).order_by()
    counts = {
        row.pop("pk"): row
        for row in counted.values("pk").annotate(
            total_pixels=Count("pixels"),
            total_active_pixels=Count("pixels", filter=Q(pixels__active=True)),
            rejected_tokens=Count("pixels", filter=Q(pixels__bad_token=True)),
        )
    }
    page = [cast("ListedTenant", tenant) for tenant in tenants]
    for tenant in page:
        # An account that was deleted just now has none.
        vars(tenant).update(counts.get(tenant.pk, {"total_pixels": 0, "total_active_pixels": 0, "rejected_tokens": 0}))
        tenant.can = {action.name: True for action in allowed_actions(principal, tenant)}
        if Action.VIEW_DATA.name not in tenant.can:
            tenant.rejected_tokens = 0
        usage = getattr(tenant, "usage", None) or UsageSnapshot()
        tenant.attempted = usage.total_events_published + usage.total_events_failed
        tenant.publishing = _publishing(usage, has_rejected_tokens=tenant.rejected_tokens > 0)
    return page


def _publishing(usage: UsageSnapshot, *, has_rejected_tokens: bool) -> str:
    """How publishing went where something went wrong with it, and no rejected token says why; else empty.

    ``fails``: nothing was sent; ``some-fail``: Meta refused a part; ``repeated``: what was not sent at once was later.
    """
    if usage.total_events_failed:
        return "some-fail" if usage.total_events_published else "fails"
    if not usage.publish_error or has_rejected_tokens:
        return ""
    return "repeated" if usage.total_events_published else "fails"
