"""The REST API, with its description at /api/docs."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Schema, Status

from accounts.rest import render_refusals
from events.figures.usage_export import router as usage_router
from events.intake.browser_openapi import router as browser_router
from events.intake.openapi import router as events_router
from portal import health

api = NinjaAPI(
    title="Gateway Portal",
    description="What is not GraphQL: accounts, people, pixels and filters are at /hub/graphql/ and /capig/graphql/.",
    openapi_url="/api/openapi.json",
    docs_url="/api/docs",
    urls_namespace="api",
    # Else these pages answer other methods too, or refuse them for want of a form's token.
    docs_decorator=lambda page: csrf_exempt(require_safe(page)),
)
render_refusals(api)


class Healthy(Schema):
    """The process can serve."""

    status: Literal["ok"] = "ok"


class Unavailable(Schema):
    """The process cannot serve now; ``reason`` says why."""

    status: Literal["unavailable"] = "unavailable"
    reason: str


@api.get(
    health.REFERENCE_PATH, response={200: Healthy, 503: Unavailable}, url_name="hub_health", include_in_schema=False
)
@api.get(health.HEALTH_PATH, response={200: Healthy, 503: Unavailable}, summary="Can this process serve?")
def healthz(request: HttpRequest) -> Status[Healthy | Unavailable]:
    """200 once the database answers and the process has all that it needs, 503 with the reason else."""
    try:
        health.check()
    except health.Unhealthy as error:
        return Status(503, Unavailable(reason=str(error)))
    return Status(200, Healthy())


@api.get(health.ALIVE_PATH, response=Healthy, summary="Is this process there?")
def livez(request: HttpRequest) -> Healthy:
    """200, whatever the database does: for who restarts processes that do not answer."""
    return Healthy()


api.add_router("", events_router)
api.add_router("", browser_router)
api.add_router("", usage_router)
