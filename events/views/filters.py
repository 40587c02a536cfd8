"""The pages Events and Websites: what is published and what is dropped, account-wide and pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import Act
from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page, page_in_view, refusals_in, said_yes
from common.errors import InvalidInput
from events.figures.cache import activity_of
from events.figures.labels import seen_labels
from events.figures.roads import ByRoad
from events.figures.series import Chart
from events.models import Counter
from filters import services
from filters.forms import DomainFilterForm, EventFilterForm, NameFilterForm
from filters.history import history_of
from filters.matching import Kind
from filters.models import FilterState
from filters.reads import ShownState
from filters.summaries import Summaries, Summary
from pixels.views.pages import way_back

PAGE_SIZE = 25
#: Of the permitted websites, so many are shown before "See all".
PERMITTED_SHOWN = 10


class Subject(NamedTuple):
    """What the two pages differ in."""

    kind: Kind
    dimension: Counter.Dimension
    update: Callable[..., Any]
    argument: str
    act: Act
    page: str
    form: type[Form]


EVENTS = Subject(
    Kind.EVENT,
    Counter.Dimension.EVENT_NAME,
    services.update_event_filter,
    "event_name",
    services.UPDATES[Kind.EVENT],
    "filters:events",
    EventFilterForm,
)
WEBSITES = Subject(
    Kind.DOMAIN,
    Counter.Dimension.WEBSITE,
    services.update_domain_filter,
    "domain",
    services.UPDATES[Kind.DOMAIN],
    "filters:websites",
    DomainFilterForm,
)


class ListedName(NamedTuple):
    """An event name or website: its filter, what was received and sent in 24 hours, and when it was last seen."""

    summary: Summary
    counted: ByRoad
    last_seen: date | None


@require_safe
@account_page(Action.VIEW_DATA)
def events(request: AccountRequest) -> HttpResponse:
    """The event names that the account has seen, or has filters for."""
    return _events(request)


@require_safe
@account_page(Action.VIEW_DATA)
def websites(request: AccountRequest) -> HttpResponse:
    """The websites that the account has seen, or has filters for: permitted ones and blocked ones."""
    return _websites(request)


def _events(request: AccountRequest, form: Form | None = None) -> HttpResponse:
    chosen = NameFilterForm(request.GET)
    names = _listed(request, EVENTS, chosen.chosen)
    context = {
        "filter": chosen,
        "is_narrowed": bool(chosen.chosen),
        "page": Paginator(names, PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form or EventFilterForm(),
        "history": history_of(request.principal, request.tenant, EVENTS.act),
    }
    return render(request, "filters/events.html", context, status=400 if form else 200)


def _websites(request: AccountRequest, form: Form | None = None) -> HttpResponse:
    chosen = NameFilterForm(request.GET)
    names = _listed(request, WEBSITES, chosen.chosen)
    blocked = [name for name in names if name.summary.state is ShownState.DROP]
    permitted = [name for name in names if name.summary.state is not ShownState.DROP]
    all_permitted = request.GET.get("show") == "permitted"
    context = {
        "filter": chosen,
        "is_narrowed": bool(chosen.chosen),
        "all_permitted": all_permitted,
        "permitted_count": len(permitted),
        "page": Paginator(permitted if all_permitted else blocked, PAGE_SIZE).get_page(request.GET.get("page")),
        "permitted": permitted[:PERMITTED_SHOWN],
        "form": form or DomainFilterForm(),
        "history": history_of(request.principal, request.tenant, WEBSITES.act),
    }
    return render(request, "filters/websites.html", context, status=400 if form else 200)


def _listed(request: AccountRequest, subject: Subject, chosen: dict[str, str]) -> list[ListedName]:
    """The names that are seen or filtered and fit what was chosen, the busiest first."""
    keys = list(request.tenant.pixels.order_by().values_list("pk", flat=True))
    seen = seen_labels(keys, subject.dimension)
    counted = {row.label: row for row in activity_of(request.tenant, keys, Chart.DAY, subject.dimension)}
    summaries = Summaries(request.tenant, subject.kind, len(keys))
    text = chosen.get("search", "").lower()
    rows = []
    for name in seen.keys() | summaries.names:
        summary = summaries.of(name)
        if text in name.lower() and chosen.get("state", summary.state) == summary.state:
            rows.append(ListedName(summary, counted.get(name, ByRoad()), seen.get(name)))
    return sorted(rows, key=lambda row: (-row.counted.together.received, row.summary.name))


@require_safe
@account_page(Action.VIEW_DATA)
def one_name(request: AccountRequest, subject: Subject) -> HttpResponse:
    """One name: its filter on each pixel, and who has changed it."""
    name = request.GET.get("name", "")
    try:
        name = services.CLEANERS[subject.kind](name)
    except InvalidInput:
        raise Http404 from None
    pixels = Paginator(request.tenant.pixels.only("tenant_id", "pixel_id", "name"), PAGE_SIZE)
    summary = Summaries(request.tenant, subject.kind, pixels.count).of(name)
    page = pixels.get_page(request.GET.get("page"))
    context = {
        "subject": subject,
        "summary": summary,
        "page": page,
        "rows": [(pixel, summary.drops_on(pixel.pixel_id), pixel.pixel_id in summary.exceptions) for pixel in page],
        "history": history_of(request.principal, request.tenant, subject.act, name),
    }
    return render(request, "filters/one.html", context)


@require_POST
@account_page(Action.EDIT_DATA)
def set_filter(request: AccountRequest, subject: Subject) -> HttpResponse:
    """Publish or drop a name's events: on the pixel that is named, or on all."""
    state = FilterState.PUBLISH if said_yes(request, "publish") else FilterState.DROP
    name, pixel_id = request.POST.get("name", ""), request.POST.get("pixel")
    shown = _update(request, subject, name, state, [pixel_id] if pixel_id else None)
    _say(request, shown.name, state, pixel_id, undo=subject)
    return redirect(way_back(request, page_in_view(request), address(subject.page, request.tenant)))


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def add_filter(request: AccountRequest, subject: Subject) -> HttpResponse:
    """Set the filter of a name that was typed."""
    if request.method != "POST":  # reloaded after a refusal
        return redirect(address(subject.page, request.tenant))
    show = _events if subject is EVENTS else _websites
    form = subject.form(request.POST)
    if form.is_valid():
        state = FilterState(form.cleaned_data.get("state", FilterState.DROP))
        with refusals_in(form):
            shown = _update(request, subject, form.cleaned_data[subject.argument], state, None)
            _say(request, shown.name, state, None)
            return redirect(address(subject.page, request.tenant))
    return show(request, form)


def _update(request: AccountRequest, subject: Subject, name: str, state: str, pixel_ids: list[str] | None) -> Any:
    return subject.update(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        **{subject.argument: name},
        state=state,
        pixel_ids=pixel_ids,
    )


def _say(
    request: AccountRequest, name: str, state: FilterState, pixel_id: str | None, *, undo: Subject | None = None
) -> None:
    """Tell what was done; with the button that takes it back, where ``undo`` says what it was done to."""
    if pixel_id:
        drops, publishes = _("%(name)s is blocked on pixel %(pixel)s."), _("%(name)s is published on pixel %(pixel)s.")
    else:
        drops, publishes = _("%(name)s is blocked on all pixels."), _("%(name)s is published on all pixels.")
    text = drops if state is FilterState.DROP else publishes
    said = text % {"name": name, "pixel": pixel_id}
    if undo:
        context = {"said": said, "subject": undo, "name": name, "pixel": pixel_id, "drops": state is FilterState.DROP}
        said = render_to_string("filters/_undo.html", context, request)
    messages.success(request, said)
