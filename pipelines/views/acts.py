"""What is done alike to pipelines, data sources and destinations: rename, switch, delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in, said_yes
from pipelines.forms import NameForm
from pipelines.reads import read_destination, read_pipeline, read_source
from pipelines.services import destinations, pipelines, sources


@dataclass(frozen=True, slots=True)
class Kind:
    """What the acts are about: the part of addresses that tells which one, its page, its services, and what is said."""

    argument: str
    page: str
    read: Callable[..., Any]
    update: Callable[..., Any]
    delete: Callable[..., Any]
    on: Promise
    off: Promise


PIPELINE = Kind(
    "pipeline_id",
    "pipelines:detail",
    read_pipeline,
    pipelines.update_pipeline,
    pipelines.delete_pipeline,
    gettext_lazy("%(name)s is enabled: events pass."),
    gettext_lazy("%(name)s is disabled: no event passes."),
)
SOURCE = Kind(
    "source_id",
    "pipelines:source",
    read_source,
    sources.update_source,
    sources.delete_source,
    gettext_lazy("%(name)s is enabled: its events pass on."),
    gettext_lazy("%(name)s is disabled: its events do not pass on."),
)
DESTINATION = Kind(
    "destination_id",
    "pipelines:destination",
    read_destination,
    destinations.update_destination,
    destinations.delete_destination,
    gettext_lazy("%(name)s is enabled: it gets events."),
    gettext_lazy("%(name)s is disabled: it gets no events."),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What an address names: as services take it, what it is called, and where its page is."""

    which: dict[str, Any]
    name: str
    page: str

    @classmethod
    def by(cls, request: AccountRequest, kind: Kind, part: dict[str, str]) -> Found:
        """NotFound for unknown ones and other accounts' alike."""
        wanted = part[kind.argument]
        found = kind.read(request.principal, request.tenant.pk, wanted)
        which = {"principal": request.principal, "tenant_id": request.tenant.pk, "id": wanted}
        return cls(which, found.name, address(kind.page, request.tenant, wanted))


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def rename(request: AccountRequest, /, kind: Kind, **part: str) -> HttpResponse:
    """Call it something else."""
    found = Found.by(request, kind, part)
    form = NameForm(request.POST) if request.method == "POST" else NameForm(initial={"name": found.name})
    if form.is_valid():
        with refusals_in(form):
            kind.update(**found.which, name=form.cleaned_data["name"])
            messages.success(request, _("It is called %(name)s now.") % {"name": form.cleaned_data["name"]})
            return redirect(found.page)
    context = {"title": _("Rename"), "about": found.name, "back": found.page, "button": _("Rename")}
    return form_page(request, "pipelines/form.html", form, context)


@require_POST
@account_page(Action.EDIT_DATA)
def switch(request: AccountRequest, /, kind: Kind, **part: str) -> HttpResponse:
    """Enable or disable it."""
    found, active = Found.by(request, kind, part), said_yes(request, "active")
    kind.update(**found.which, active=active)
    messages.success(request, str(kind.on if active else kind.off) % {"name": found.name})
    return redirect(found.page)


@require_POST
@account_page(Action.EDIT_DATA)
def delete(request: AccountRequest, /, kind: Kind, **part: str) -> HttpResponse:
    """Delete it, once its name was typed."""
    found = Found.by(request, kind, part)
    if request.POST.get("typed", "").strip() != found.name.strip():
        messages.error(request, _("What you typed is not the name. Nothing was deleted."))
        return redirect(found.page)
    kind.delete(**found.which)
    messages.success(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect(address("pipelines:list", request.tenant))
