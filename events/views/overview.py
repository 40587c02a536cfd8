"""The first page of an account: do events arrive, and do they reach Meta?"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from accounts.services.tenants import update_tenant
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page, said_yes
from events.figures.accounts import of_account
from events.figures.cache import activity_of
from events.figures.metrics import Activity, told_to_the_minute
from events.models import Counter
from events.views.charts import Traffic
from filters.matching import Kind
from filters.summaries import Summaries, Summary
from pixels.listing import listed_pixels, page_of_pixels

PIXELS_SHOWN = 10
NAMES_SHOWN = 10


class ListedActivity(NamedTuple):
    """The events of one name, and its filter; None for those that are counted together."""

    activity: Activity
    filter: Summary | None


@require_safe
@account_page(Action.VIEW_DATA)
def account_overview(request: AccountRequest) -> HttpResponse:
    """The account's figures, pixels and event names; for HTMX what changes of it, every few seconds."""
    # All of them, for their keys: cheaper than to ask for these first.
    pixels = list(listed_pixels(request.tenant))
    context = _figures(request, pixels) if pixels or request.tenant.sources.exists() else {}
    # After a switch, HTMX takes its part of the whole page, messages included.
    htmx = request.htmx  # type: ignore[attr-defined]
    template = (
        "events/_overview.html" if htmx and htmx.target not in ("event-activity", "content") else "events/overview.html"
    )
    return render(request, template, context)


def _figures(request: AccountRequest, pixels: list[Any]) -> dict[str, Any]:
    keys = [pixel.pk for pixel in pixels]
    rejected = [pixel for pixel in pixels if pixel.bad_token]
    tenant, held = request.tenant, [pixel.pk for pixel in rejected]
    traffic = Traffic(request, tenant, keys, held=held, with_gateway=True)
    names = activity_of(tenant, keys, traffic.time, Counter.Dimension.EVENT_NAME, with_gateway=True)
    parts = of_account(tenant, keys)
    summaries = Summaries(tenant, Kind.EVENT, len(keys))
    return {
        "traffic": traffic,
        "rejected": rejected,
        "page": page_of_pixels(Paginator(pixels, PIXELS_SHOWN), request.GET.get("page"), traffic.time.minutes),
        "activities": [
            ListedActivity(activity, summaries.of(activity.label) if activity.label else None)
            for activity in told_to_the_minute(names[:NAMES_SHOWN], parts, Counter.Dimension.EVENT_NAME)
        ],
        "more_names": max(0, len(names) - NAMES_SHOWN),
    }


@require_POST
@account_page(Action.EDIT_SETTINGS)
def enhance_events(request: AccountRequest) -> HttpResponse:
    """Switch the enhancing of events."""
    on = said_yes(request, "on")
    update_tenant(principal=request.principal, tenant_id=request.tenant.pk, event_enrichment=on)
    text = _("Events are enhanced from now on.") if on else _("Events are not enhanced any more.")
    messages.success(request, text)
    return redirect(address("account_overview", request.tenant))
