"""The API Reference: every operation as the served schemas describe it, and a console to try it out."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.db.models import Model, OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership, Tenant
from accounts.principals import Principal
from accounts.services.routing import can_be_led_to, gateway_domain
from accounts.web import HostRequest, host_page
from events.models import DestinationLetter
from pipelines.ids import DESTINATION, PIPELINE, id_of
from pipelines.models import Destination, Pipeline, Source
from portal.graphql.console import Asked
from portal.graphql.console import run as run_document
from portal.graphql.forms import ConsoleForm
from portal.graphql.reference import SCHEMAS, find_operation, operations
from portal.graphql.samples import Known, as_json, sample_answer, sample_document, sample_variables

#: Among so many people of an account the samples look for somebody to speak of.
_PEOPLE = 50


@require_safe
@host_page()
def index(request: HostRequest) -> HttpResponse:
    """All operations, and how to sign in."""
    context = {
        "endpoints": [(name, [each for each in operations() if each.endpoint == name]) for name in SCHEMAS],
        "base_url": settings.BASE_URL,
        "hours": settings.TOKEN_LIFETIME_SECONDS // 3600,
    }
    return render(request, "accounts/api_reference.html", context)


@require_safe
@host_page()
def operation(request: HostRequest, endpoint: str, name: str) -> HttpResponse:
    """One operation: what it takes and answers, a sample that works, and the console to run it in."""
    found = find_operation(endpoint, name)
    if found is None:
        raise Http404
    known = _known(request.principal)
    document, variables = sample_document(found), as_json(sample_variables(found, known))
    context = {
        "operation": found,
        "document": document,
        "variables": variables,
        "answer": as_json(sample_answer(found, known)),
        "base_url": settings.BASE_URL,
        "endpoint": endpoint,
        "form": ConsoleForm(initial={"query": document, "variables": variables}),
    }
    return render(request, "accounts/api_operation.html", context)


@require_POST
@host_page()
def run(request: HostRequest) -> HttpResponse:
    """Run what was typed and show the answer, in place or, without JavaScript, on a page of its own."""
    endpoint = request.POST.get("endpoint", "")
    if endpoint not in SCHEMAS:
        raise Http404
    form = ConsoleForm(request.POST)
    context: dict[str, object] = {"form": form, "endpoint": endpoint}
    if form.is_valid():
        asked = Asked(**form.cleaned_data, confirmed="confirmed" in request.POST)
        answer = run_document(SCHEMAS[endpoint], request.principal, asked)
        context |= {"must_confirm": True} if answer is None else {"status": answer.status, "body": as_json(answer.body)}
    page = "accounts/_console_answer.html" if getattr(request, "htmx", False) else "accounts/api_console.html"
    return render(request, page, context)


def _gateway_ids(tenant: Tenant) -> dict[str, object]:
    """The ids of the account's first pipeline, source and destination: one query."""
    letters = DestinationLetter.objects.filter(destination__tenant=OuterRef("pk")).order_by("pk").values("pk")[:1]
    firsts = _first(Pipeline, "uuid"), _first(Source, "source_id"), _first(Destination, "uuid"), Subquery(letters)
    pipeline, source, destination, letter = Tenant.objects.filter(pk=tenant.pk).values_list(*firsts)[0]
    return {
        "pipeline_id": pipeline and id_of(PIPELINE, pipeline),
        "source_id": source,
        "destination_letter_id": letter,
        "destination_id": destination and id_of(DESTINATION, destination),
    }


def _first(model: type[Model], column: str) -> Subquery:
    """That of the first row of a tenant's."""
    return Subquery(model._default_manager.filter(tenant=OuterRef("pk")).order_by("pk").values(column)[:1])


def _known(principal: Principal) -> Known:
    """What the person has, for the samples: an account that is open to them, and what is in it.

    As far as possible such that a mutation's sample changes nothing: a role that somebody has, a pixel that is on.
    """
    known = Known(api_version=settings.GRAPH_API_VERSION)
    if can_be_led_to(gateway_domain()):
        known = replace(known, target_domain=gateway_domain())
    open_to = Tenant.objects.open_to(principal.borders).select_related("ingress_domain").order_by("name", "pk")
    tenant = open_to.filter(pixels__isnull=False).first() or open_to.first()
    if tenant is None:
        return known
    people = list(Membership.objects.filter(tenant=tenant).with_last_admin().select_related("user")[:_PEOPLE])
    member = next((member for member in people if not member.is_last_admin), None)
    invited = next((member.user for member in people if member.accepted_at is None), None)
    domain = getattr(tenant, "ingress_domain", None)
    found = {
        "pixel_id": tenant.pixels.order_by("-active", "pixel_id").values_list("pixel_id", flat=True).first(),
        "dead_letter_id": tenant.pixels.filter(dead_letters__gt=0).values_list("dead_letters", flat=True).first(),
        **_gateway_ids(tenant),
        "user_id": member and member.user_id,
        "user_level": member and member.level,
        "invited_email": invited and invited.email,
        "ingress": domain and domain.ingress,
        "target_domain": domain and domain.target_domain,
    }
    known = replace(known, tenant_id=tenant.pk, tenant_name=tenant.name)
    return replace(known, **{name: str(value) for name, value in found.items() if value})
