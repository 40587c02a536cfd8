"""What the intake refused: of which pixels and data sources of an account, and of one of them the last requests."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.intake.rules import explain
from events.refused.reading import id_of, read_last_refused, read_refused, read_refused_of
from pipelines.lookups import find_source


@require_safe
@account_page(Action.VIEW_DATA)
def refused(request: AccountRequest) -> HttpResponse:
    """The account's pixels and data sources with refusals, or one of them; for HTMX what changes of it, or how many
    there are."""
    if request.htmx and request.GET.get("count"):  # type: ignore[attr-defined]
        return _count(request)
    if of := request.GET.get("of", ""):
        owner = find_source(request.tenant, of)
        last = [{"request": one, "explanation": explain(one.reason)} for one in read_last_refused(owner)]
        context: dict[str, Any] = {"owner": owner, "of": id_of(owner), "refused": read_refused(owner), "last": last}
    else:
        context = {"owners": read_refused_of(request.tenant)}
    template = "events/_refused_page.html" if request.htmx else "events/refused.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _count(request: AccountRequest) -> HttpResponse:
    """How many requests were refused in the last 24 hours, of the account or of one pixel or data source."""
    if of := request.GET.get("of", ""):
        owner = find_source(request.tenant, of)
        requests = sum(one.requests for one in read_refused(owner) if one.is_let_in)
        context: dict[str, Any] = {"of": id_of(owner), "requests": requests}
    else:
        context = {"of": "", "requests": sum(one.requests for one in read_refused_of(request.tenant))}
    return render(request, "events/_refused_count.html", context)
