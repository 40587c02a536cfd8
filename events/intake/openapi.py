"""POST /capi/<pixel id>/events as the REST API describes it; the work is done by its door (events/intake/door.py)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema

from common.http import from_django
from events.intake import door
from events.intake.addresses import events_path
from events.intake.options import OPTION_NAMES
from events.parameters.table import ACTION_SOURCES
from filters.models import EVENT_NAME_MAX_LENGTH

router = Router(tags=["Events"])


class EventsReceived(Schema):
    """All of the request's events are stored. The messages tell what was left out of them or filled in."""

    events_received: int
    messages: list[str] = []
    fbtrace_id: str


class GraphError(Schema):
    """What is wrong, in words and in the Graph API's codes."""

    message: str
    type: str = "OAuthException"
    code: int
    error_subcode: int
    fbtrace_id: str


class EventsRefused(Schema):
    """Nothing of the request is stored; the message names the first event and field that break a rule."""

    error: GraphError


_event_schema: dict[str, Any] = {
    "type": "object",
    "required": ["event_name", "event_time", "user_data"],
    "properties": {
        "event_name": {"type": "string", "maxLength": EVENT_NAME_MAX_LENGTH},
        "event_time": {"type": "integer", "description": "Seconds since 1970, at most 7 days ago."},
        "event_id": {"type": "string", "maxLength": 100, "description": "Made where it is missing."},
        "action_source": {"type": "string", "enum": list(ACTION_SOURCES), "description": "Filled where it is missing."},
        "event_source_url": {"type": "string", "format": "uri", "description": "Required of a website's event."},
        "user_data": {
            "type": "object",
            "description": "Identifiers that are not hashed yet are normalised and hashed before they are stored. "
            "A website's event needs client_user_agent, unless a browser sends it.",
        },
    },
}
_body_schema: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {"type": "array", "minItems": 1, "items": _event_schema},
        "accessKey": {"type": "string", "description": "Checked where it is given; some pixels require it."},
        **{name: {"type": "string"} for name in OPTION_NAMES},
        "platforms": {"type": "array", "items": {"type": "object"}},
        "progress": {"type": "object"},
        "trace": {"type": "integer", "minimum": 0},
    },
}


_refused = {(400, 401, 404, 413, 415, 429, 500, 503): EventsRefused}
_extra = {"requestBody": {"required": True, "content": {"application/json": {"schema": _body_schema}}}}


@router.post(
    events_path("{pixel_id}"),
    response={202: EventsReceived, **_refused},
    summary="Send events",
    # Generated clients are named after it: it stays where the module moves.
    operation_id="events_api_receive_events",
    openapi_extra=_extra,
)
def receive_events(request: HttpRequest, pixel_id: str) -> HttpResponse:
    """Take in events of a pixel: all of a request's, or, where one breaks a rule, none of them.

    The body is JSON, whatever the Content-Type says, or a form as the Graph API takes it. It may be packed with gzip or
    deflate.
    """
    return _by_the_door(request)


@router.post(
    "/v{int:major}.{int:minor}/{pixel_id}/events",
    response={200: EventsReceived, **_refused},
    summary="Send events, as Meta's SDKs do",
    openapi_extra=_extra,
    operation_id="events_api_receive_events_as_graph_api",
)
def receive_events_as_graph_api(
    request: HttpRequest,
    pixel_id: str,
    major: int = Path(ge=0, le=999),  # type: ignore[type-arg]  # a function at run time
    minor: int = Path(ge=0, le=999),  # type: ignore[type-arg]  # a function at run time
) -> HttpResponse:
    """The same at the Graph API's own address, of whatever version: for clients whose host alone can be changed.

    An access token, in the body, the address or the Authorization header, is ignored; where the pixel requires its
    access key, the key may come in the token's place.
    """
    return _by_the_door(request)


def _by_the_door(request: HttpRequest) -> HttpResponse:
    """Reached only where Django is served without portal/rsgi.py, as by its test client."""
    status, headers, body = door.answer(from_django(request))
    return HttpResponse(body, status=status, headers=dict(headers))
