"""Where alerts are posted to: of an account, and of the host. The same pages in two places."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.borders import Borders
from accounts.models import Tenant
from accounts.places import Place
from accounts.tables import PAGE_SIZE
from accounts.views.pages import address, form_page
from accounts.web import HostRequest, refusals_in
from alerts.forms import ReceiverForm, SecretForm
from alerts.models import ChannelName, Receiver
from alerts.pruning import POSTINGS_KEPT
from alerts.services.receivers import (
    MOST,
    IssuedReceiver,
    add_receiver,
    enable_receiver,
    remove_receiver,
    rotate_receiver,
    try_receiver,
)

_DETAIL = "alerts/receiver.html"


def shown_receivers(borders: Borders, tenant: Tenant | None) -> list[dict[str, Any]]:
    """Those of the account, or of the host, each with the address of its page."""
    rows = Receiver.objects.visible_to(borders).filter(tenant=tenant).defer("url", "secret", "former_secret")
    return [{"receiver": row, "page": _page(tenant, "receiver", row.pk)} for row in rows[:MOST]]


@sensitive_post_parameters("url")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HostRequest, place: Place) -> HttpResponse:
    """Add a receiver. The secret of a webhook is shown: now or never."""
    form = ReceiverForm(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            issued = add_receiver(principal=request.principal, tenant_id=place.tenant_id, **form.cleaned_data)
            if issued.secret:
                return _secret_of(request, place, issued, is_new=True)
            messages.success(request, _("%(name)s is added. Test it now.") % {"name": issued.receiver.name})
            return redirect(_page(place.tenant, "receiver", issued.receiver.pk))
    return form_page(request, "alerts/receiver_add.html", form, {"back": _list(place.tenant)})


@require_safe
def receiver(request: HostRequest, place: Place, receiver_id: UUID) -> HttpResponse:
    """How a receiver does, what it answered of late, and what can be done."""
    return _detail(request, place, _find(request, place, receiver_id), SecretForm())


@require_POST
def try_it(request: HostRequest, place: Place, receiver_id: UUID) -> HttpResponse:
    """Post a test, and tell what was answered."""
    posting = try_receiver(principal=request.principal, tenant_id=place.tenant_id, receiver_id=receiver_id)
    told = {"status": posting.status, "duration": posting.duration}
    if posting.taken:
        messages.success(request, _("The test is taken: HTTP %(status)s, after %(duration)s ms.") % told)
    elif posting.status:
        messages.error(request, _("The test is not taken: HTTP %(status)s, after %(duration)s ms.") % told)
    else:
        messages.error(request, _("The test got no answer. The log says why."))
    return redirect(_page(place.tenant, "receiver", receiver_id))


@require_POST
def renew_secret(request: HostRequest, place: Place, receiver_id: UUID) -> HttpResponse:
    """Make a new secret, and show it: now or never."""
    form = SecretForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            issued = rotate_receiver(
                principal=request.principal,
                tenant_id=place.tenant_id,
                receiver_id=receiver_id,
                **form.cleaned_data,
            )
            return _secret_of(request, place, issued, is_new=False)
    return _detail(request, place, _find(request, place, receiver_id), form)


@require_POST
def enable(request: HostRequest, place: Place, receiver_id: UUID) -> HttpResponse:
    """Switch a receiver on again."""
    enable_receiver(principal=request.principal, tenant_id=place.tenant_id, receiver_id=receiver_id)
    messages.success(request, _("It gets alerts again, and those of the last day that it has missed."))
    return redirect(_page(place.tenant, "receiver", receiver_id))


@require_POST
def remove(request: HostRequest, place: Place, receiver_id: UUID) -> HttpResponse:
    """Forget a receiver."""
    name = remove_receiver(principal=request.principal, tenant_id=place.tenant_id, receiver_id=receiver_id)
    messages.success(request, _("%(name)s gets no more alerts.") % {"name": name})
    return redirect(_list(place.tenant))


def _find(request: HostRequest, place: Place, receiver_id: UUID) -> Receiver:
    rows = Receiver.objects.visible_to(request.principal.borders).filter(tenant=place.tenant, pk=receiver_id)
    found: Receiver | None = rows.defer("url", "secret", "former_secret").first()
    if found is None:
        raise Http404
    return found


def _detail(request: HostRequest, place: Place, shown: Receiver, form: SecretForm) -> HttpResponse:
    page = Paginator(shown.postings.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    acts = {act: _page(place.tenant, f"{act}_receiver", shown.pk) for act in ("test", "renew", "enable", "remove")}
    context = {
        "receiver": shown,
        "is_signed": shown.channel == ChannelName.WEBHOOK,
        "page": page,
        "acts": acts,
        "back": _list(place.tenant),
        "days": POSTINGS_KEPT.days,
    }
    return form_page(request, _DETAIL, form, context)


def _secret_of(request: HostRequest, place: Place, issued: IssuedReceiver, *, is_new: bool) -> HttpResponse:
    context = {"receiver": issued.receiver, "secret": issued.secret, "is_new": is_new}
    page = _page(place.tenant, "receiver", issued.receiver.pk)
    return render(request, "alerts/receiver_secret.html", {**context, "page": page})


def _page(tenant: Tenant | None, name: str, *args: object) -> str:
    return address(f"{'alerts' if tenant else 'host'}:{name}", tenant, *args)


def _list(tenant: Tenant | None) -> str:
    return _page(tenant, "rules")
