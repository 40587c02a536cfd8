"""POST /events as the REST API describes it; the work is done by its door (events/intake/browser_door.py)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from common.http import from_django
from events.intake import browser_door
from events.intake.checks import EVENT_ID_MAX_LENGTH
from events.intake.openapi import EventsRefused
from filters.models import EVENT_NAME_MAX_LENGTH

router = Router(tags=["Events"])

_object: dict[str, Any] = {"type": "object", "additionalProperties": True}
_body_schema: dict[str, Any] = {
    "type": "object",
    "required": ["event_name", "fb.pixel_id"],
    "properties": {
        "event_name": {"type": "string", "minLength": 1, "maxLength": EVENT_NAME_MAX_LENGTH},
        "fb.pixel_id": {"type": "string", "pattern": "^[0-9]{1,20}$"},
        "event_id": {
            "type": "string",
            "maxLength": EVENT_ID_MAX_LENGTH,
            "description": "Made where it is missing. Meta knows the event by it that the pixel sends there itself.",
        },
        "fb.fbp": {"type": "string", "description": "The browser's id, of the cookie _fbp."},
        "fb.clickID": {"type": "string", "description": "The click's id, of the cookie _fbc."},
        "fb.fbc": {"type": "string", "description": "The same under another name."},
        "fb.advanced_matching": {**_object, "description": "Whose event it is. What is not hashed yet is hashed."},
        "custom_data": {**_object, "description": "What the page says of the event."},
        "conversion_value": {**_object, "description": "value and currency, where custom_data lacks them."},
        "fb.dynamic_product_ads": {**_object, "description": "Completes custom_data."},
        "automatic_parameters": {**_object, "description": "What the pixel has read from the page; completes, too."},
        "website_context": {**_object, "description": "location, referrer and isInIFrame of the page."},
    },
}
_taken = {
    "description": "The body is an event. Nothing is said of what becomes of it, nor of which pixels are connected.",
    "content": {"text/plain": {"schema": {"type": "string", "maxLength": 0}}},
}
_extra: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _body_schema}}},
    "responses": {200: _taken},
}
_refused = {(400, 413, 415, 429, 500, 503): EventsRefused}


@router.post(
    "/events",
    response=_refused,
    summary="Send an event, as the Meta Pixel does",
    operation_id="receive_browser_event",
    openapi_extra=_extra,
)
def receive_browser_event(request: HttpRequest) -> HttpResponse:
    """Take in one event of a visitor's browser: JSON of at most 64 KiB, whatever the Content-Type says.
    The Meta Pixel says text/plain, which browsers ask nobody about before.

    The visitor's address and user agent are those of the request. Of fields in another form, those are put right whose
    meaning is certain; others are left out, and counted on the pixel's page. Unknown fields are ignored.
    """
    return _by_the_door(request)


@router.post(
    "/events/{number}",
    response=_refused,
    summary="Send an event to a pixel's own address",
    operation_id="receive_browser_event_at_own_address",
    openapi_extra=_extra,
)
def receive_browser_event_at_own_address(
    request: HttpRequest,
    number: str = Path(pattern=r"^[0-9A-Fa-f]{1,64}$"),  # type: ignore[type-arg]  # a function at run time
) -> HttpResponse:
    """The same: the number is part of some pixels' configuration, and says nothing here."""
    return _by_the_door(request)


def _by_the_door(request: HttpRequest) -> HttpResponse:
    """Reached only where Django is served without portal/rsgi.py, as by its test client."""
    status, headers, body = browser_door.answer(from_django(request))
    return HttpResponse(body, status=status, headers=dict(headers))
