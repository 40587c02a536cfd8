"""Taking a source or destination out of a pipeline ("Disconnect pipeline"), after a page that says what it means."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from common.errors import NotFound
from pipelines.lookups import no_such_destination, no_such_source
from pipelines.reads import read_pipeline
from pipelines.services.places import remove_destination, remove_source
from pipelines.shown import PipelineType
from pipelines.views.acts import SOURCE, Kind


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def disconnect(request: AccountRequest, /, kind: Kind, pipeline_id: str, **part: str) -> HttpResponse:
    """What it means, what becomes of what waits; and, once that is confirmed, the act."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    found = kind.read(request.principal, request.tenant.pk, part[kind.argument])
    if pipeline.type is not PipelineType.GATEWAY_PIPELINE or pipeline_id not in [
        each.id for each in found.associated_pipelines
    ]:
        raise _no_such(kind)
    back = address("pipelines:detail", request.tenant, pipeline_id)
    if request.method == "POST":
        remove = remove_source if kind is SOURCE else remove_destination
        remove(principal=request.principal, tenant_id=request.tenant.pk, pipeline_id=pipeline_id, id=found.id)
        told = _("%(name)s is no longer in the pipeline %(pipeline)s.")
        messages.success(request, told % {"name": found.name, "pipeline": pipeline.name})
        return redirect(back)
    context = {
        "pipeline": pipeline,
        "found": found,
        "is_source": kind is SOURCE,
        "others": [each for each in found.associated_pipelines if each.id != pipeline_id],
        "back": back,
    }
    return render(request, "pipelines/disconnect.html", context)


def _no_such(kind: Kind) -> NotFound:
    return no_such_source("id") if kind is SOURCE else no_such_destination("id")
