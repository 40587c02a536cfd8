"""Registration with Meta: of a pixel, of all of an account's, and what the host says about the instance."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, HostRequest, account_page, host_page
from events.registration import services
from events.registration.edge import NAME
from events.registration.reads import Standing, count_registrations, read_registration
from events.registration.registrar import hold, known_instance_id, obstacle
from events.registration.wanted import Wanted, left_to_gateway, wanted_of
from filters.reads import load_filter_set
from pixels.listing import get_listed_pixel
from pixels.models import Pixel
from pixels.reads import get_pixel

#: A command that is longer is not shown: nobody would read it.
_COMMAND_MAX_LENGTH = 20_000
#: Names of what is blocked that are listed.
NAMES_SHOWN = 20


@require_safe
@account_page(Action.VIEW_DATA)
def registration(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """How the pixel stands, what Meta is told, and what to do by hand; for HTMX how it stands."""
    pixel = get_listed_pixel(request.tenant, pixel_id, "registration")
    context: dict[str, Any] = {"pixel": pixel, **registration_context(pixel), "help": request.GET.get("help") == "yes"}
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "events/_registration.html", context)
    instance_id, filters = known_instance_id(), load_filter_set(pixel)
    wanted = wanted_of(pixel, filters, instance_id or "")
    context |= {
        "wanted": wanted.fields,
        "names_shown": NAMES_SHOWN,
        "left_to_gateway": left_to_gateway(filters),
        "command": _command(pixel, wanted, context["registration"].node) if instance_id else "",
    }
    return render(request, "events/registration.html", context)


def registration_context(pixel: Pixel) -> dict[str, Any]:
    """What events/_registration.html takes, beside the pixel."""
    return {"registration": read_registration(pixel), "standings": Standing, "base_url": settings.BASE_URL}


def _command(pixel: Pixel, wanted: Wanted, node: str) -> str:
    """What to type in a shell to tell Meta by hand, with a token of one's own; ``node`` is what Meta has already."""
    path = node or f"{wanted.business_id}/{NAME}"
    lines = [
        f"curl -X POST {shlex.quote(f'{settings.GRAPH_API_URL}/{pixel.api_version}/{path}')}",
        "-H 'Authorization: Bearer ACCESS_TOKEN' -H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(wanted.fields, ensure_ascii=False))}",
    ]
    command = " \\\n  ".join(lines)
    return command if len(command) <= _COMMAND_MAX_LENGTH else ""


@require_POST
@account_page(Action.EDIT_DATA)
def register(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Have Meta told of the pixel; in place of another gateway, where the form says so."""
    pixel = get_pixel(request.tenant, pixel_id)
    services.register_pixel(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        pixel_id=pixel_id,
        replace=request.POST.get("replace") == "yes",
    )
    if hold():
        messages.warning(request, _("Meta is told of %(pixel)s once the host allows it.") % {"pixel": pixel})
    else:
        messages.success(request, _("Meta is being told of %(pixel)s.") % {"pixel": pixel})
    return redirect(address("pixels:detail", request.tenant, pixel_id) + "#registration")


@require_POST
@account_page(Action.EDIT_DATA)
def unregister(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Have Meta forget the pixel."""
    pixel = get_pixel(request.tenant, pixel_id)
    services.unregister_pixel(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id)
    messages.success(request, _("The registration of %(pixel)s with Meta is taken back.") % {"pixel": pixel})
    return redirect(address("pixels:detail", request.tenant, pixel_id) + "#registration")


@require_POST
@account_page(Action.EDIT_DATA)
def register_all(request: AccountRequest) -> HttpResponse:
    """Have Meta told of all pixels of the account that are not registered."""
    count = services.register_pixels(principal=request.principal, tenant_id=request.tenant.pk)
    _say_told(request, count)
    return redirect(address("pixels:list", request.tenant))


@require_safe
@host_page()
def host_registration(request: HostRequest) -> HttpResponse:
    """The instance's address, whether it may register, and how pixels stand."""
    context = {
        "obstacle": obstacle(),
        "base_url": settings.BASE_URL,
        "tally": count_registrations(),
        "accounts_lacking": len(services.accounts_to_register(request.principal)),
    }
    return render(request, "events/host_registration.html", context)


@require_POST
@host_page(Action.EDIT_HOST)
def allow(request: HostRequest) -> HttpResponse:
    """Say that the instance may register."""
    services.allow_registration(principal=request.principal)
    messages.success(request, _("This portal registers pixels with Meta again."))
    return redirect("host:registration")


@require_POST
@host_page(Action.EDIT_HOST)
def register_everywhere(request: HostRequest) -> HttpResponse:
    """Have Meta told of the pixels that are not registered, account by account."""
    count = services.register_everywhere(principal=request.principal)
    _say_told(request, count)
    return redirect("host:registration")


def _say_told(request: HttpRequest, count: int) -> None:
    if hold():
        text = _("Meta is told of the pixels once the host allows it.")
        messages.warning(request, text)
        return
    text = ngettext("Meta is being told of %(count)d pixel.", "Meta is being told of %(count)d pixels.", count)
    messages.success(request, text % {"count": count})
