"""Senders of events: what they send, and how it gets to the gateway."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from django.test import RequestFactory

from events.models import OutboxRow
from pixels.models import Pixel
from tests.rsgi import ask_as

EMAIL_HASH = (
    "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"  # of Meta's example, john_smith@gmail.com
)


def purchase(**changes: Any) -> dict[str, Any]:
    """An event to which nothing need be added; a change to None takes the field away."""
    event = {
        "event_name": "Purchase",
        "event_time": int(time.time()) - 60,
        "event_id": "order-1",
        "action_source": "website",
        "event_source_url": "https://shop.example.com/thanks",
        "user_data": {"em": [EMAIL_HASH], "client_user_agent": "Mozilla/5.0"},
        "custom_data": {"currency": "EUR", "value": 19.99},
    }
    return {field: value for field, value in (event | changes).items() if value is not None}


@dataclass(frozen=True)
class Reply:
    """What the gateway answers to a sender."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"]) if "error" in self.body else ""


def ask(method: str, path: str, body: bytes = b"", content_type: str = "", **meta: Any) -> Reply:
    """Send a request as the web server passes it on; ``meta`` are further variables, by WSGI's names."""
    answer = ask_as(RequestFactory().generic(method, path, body, content_type, **meta).environ)
    return Reply(answer.status, json.loads(answer.body) if answer.body else {}, dict(answer.headers))


def post(pixel: Pixel | str, body: bytes | str, content_type: str = "application/json", **headers: str) -> Reply:
    """Send a body to the pixel's address."""
    pixel_id = pixel.pixel_id if isinstance(pixel, Pixel) else pixel
    data = body.encode() if isinstance(body, str) else body
    return ask("POST", f"/capi/{pixel_id}/events", data, content_type, headers=headers)


def send(pixel: Pixel | str, *events: Any, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
    """Send events as JSON."""
    return post(pixel, json.dumps({"data": list(events), **fields}), **headers or {})


def stored(pixel: Pixel) -> list[list[dict[str, Any]]]:
    """The events of each of the pixel's rows."""
    return [json.loads(bytes(row.body)) for row in OutboxRow.objects.filter(pixel=pixel).order_by("id")]


def stored_event(pixel: Pixel) -> dict[str, Any]:
    """The one event that is there."""
    ((event,),) = stored(pixel)
    return event
