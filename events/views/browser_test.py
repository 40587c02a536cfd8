"""The test from the browser: the reader's own sends an event as a visitor's would, and shows it arriving."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Action
from accounts.services.routing import address_of
from accounts.web import AccountRequest, account_page, add_service_error, let_scripts_ask
from common.errors import PortalError
from events.figures.labels import seen_labels
from events.forms import BrowserTestForm
from events.intake.browser_door import reason_against
from events.intake.left_out import Reason
from events.intake.pixel_settings import get_pixel_settings
from events.intake.test_event import BrowserTest, prepare_browser_test
from events.models import Counter
from events.views.sending import watched
from pixels.listing import get_listed_pixel
from pixels.models import Pixel


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def browser_test(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """What to send; once that is said, the event, which a script of the page sends."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    form = BrowserTestForm(request.POST if request.method == "POST" else None, initial={"page": _page(pixel)})
    test = _prepare(request, pixel_id, form) if form.is_valid() else None
    endpoint = address_of(request.tenant)
    context = {"pixel": pixel, "form": form, "endpoint": endpoint, "test": test and test._asdict()}
    response = render(request, "events/browser_test.html", context, status=400 if form.errors else 200)
    return let_scripts_ask(response, endpoint)


@require_safe
@account_page(Action.EDIT_DATA)
def result(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """A part for HTMX: what has become of an event that the gateway has answered 200, as it does in any case."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    context: dict[str, Any] = watched(request, pixel)
    known = get_pixel_settings(pixel.pixel_id)
    reason = reason_against(request.GET.get("page"), known) if known else None
    if reason is not None and context.get("entry") is None:
        return render(request, "events/_browser_test_refused.html", {"pixel": pixel, "reason": Reason(reason)})
    return render(request, "events/_test_event.html", {"pixel": pixel, **context})


def _prepare(request: AccountRequest, pixel_id: str, form: BrowserTestForm) -> BrowserTest | None:
    try:
        return prepare_browser_test(
            principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id, **form.cleaned_data
        )
    except PortalError as error:
        add_service_error(form, error)
        return None


def _page(pixel: Pixel) -> str:
    """Of a website that may send, or has sent."""
    websites = pixel.browser_websites or seen_labels([pixel.pk], Counter.Dimension.WEBSITE)
    website = next(iter(websites), None)
    return f"https://{website}/" if website else f"{settings.BASE_URL}/"
