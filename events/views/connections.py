"""Connecting a pixel and giving it another access token; what becomes of the events that wait is told."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, add_service_error, refusals_in
from common.errors import PortalError
from events.delivery.graph_api import ask_about_token
from events.delivery.verdicts import Verdict, verdict_on
from events.figures.waiting import read_waiting
from pixels.forms import ConnectForm, TokenForm
from pixels.models import Pixel
from pixels.reads import get_pixel
from pixels.services import connect_pixel


@sensitive_post_parameters("access_token")
@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def connect(request: AccountRequest) -> HttpResponse:
    """Connect a pixel, or one that the account has already again."""
    form = ConnectForm(request.POST or None, tenant=request.tenant)
    verdict = _ask_meta(form, form.cleaned_data["api_version"], form.connected) if form.is_valid() else None
    pixel = _connect(request, form) if form.is_valid() else None
    if pixel is None:
        form.ask_for_token_again()
        return form_page(request, "pixels/connect.html", form)
    if form.connected:
        _say_replaced(request, pixel, verdict)
        return redirect(address("pixels:detail", request.tenant, pixel.pixel_id))
    messages.success(
        request, _("%(pixel)s is connected. Let your website or server send its events.") % {"pixel": pixel}
    )
    return redirect(address("pixels:sending", request.tenant, pixel.pixel_id))


def _connect(request: AccountRequest, form: ConnectForm) -> Pixel | None:
    data = form.cleaned_data
    try:
        return connect_pixel(
            principal=request.principal,
            tenant_id=request.tenant.pk,
            pixel_id=data["pixel_id"],
            business_id=data["business_id"] or (form.connected.business_id if form.connected else ""),
            access_token=data["access_token"],
            external_id=data["external_id"] or None,
            api_version=data["api_version"] or None,
            name=data["name"] or None,
        )
    except PortalError as error:
        add_service_error(form, error)
        return None


@sensitive_post_parameters("access_token")
@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def replace_token(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Give the pixel a new token; what waits for one is sent."""
    pixel = get_pixel(request.tenant, pixel_id)
    form = TokenForm(request.POST or None)
    verdict = _ask_meta(form, "", pixel) if form.is_valid() else None
    if form.is_valid():
        with refusals_in(form):
            connect_pixel(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pixel_id=pixel.pixel_id,
                business_id=pixel.business_id,
                access_token=form.cleaned_data["access_token"],
            )
            _say_replaced(request, pixel, verdict)
            return redirect(address("pixels:detail", request.tenant, pixel.pixel_id))
    return form_page(request, "pixels/token.html", form, {"pixel": pixel})


def _ask_meta(form: Form, api_version: str, pixel: Pixel | None) -> Verdict:
    """What Meta says of the typed token; one that it rejects is an error of the form, and nothing is changed."""
    version = api_version or (pixel.api_version if pixel else settings.GRAPH_API_VERSION)
    verdict = verdict_on(ask_about_token(api_version=version, access_token=form.cleaned_data["access_token"]))
    if verdict.rejects_token and verdict.problem:
        text = _("Meta rejects this access token: “%(message)s” Nothing was changed.")
        form.add_error("access_token", text % {"message": verdict.problem.message})
    return verdict


def _say_replaced(request: AccountRequest, pixel: Pixel, verdict: Verdict | None) -> None:
    if verdict is not None and verdict.is_accepted:
        messages.success(request, _token_replaced(pixel))
    else:
        text = _("%(pixel)s has a new access token. Meta did not say whether it accepts it: the next events will tell.")
        messages.warning(request, text % {"pixel": pixel})


def _token_replaced(pixel: Pixel) -> str:
    waiting = read_waiting([pixel.pk])
    if not waiting.events or not pixel.publishing_enabled:
        return _("%(pixel)s has a new access token, which Meta accepts.") % {"pixel": pixel}
    text = ngettext(
        "%(pixel)s has a new access token, which Meta accepts; its %(number)s waiting event is being sent.",
        "%(pixel)s has a new access token, which Meta accepts; its %(number)s waiting events are being sent.",
        waiting.events,
    )
    number = f"{intcomma(waiting.events)}{'+' if waiting.is_more else ''}"
    return text % {"pixel": pixel, "number": number}
