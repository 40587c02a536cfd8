"""What one would write first: django-ninja, a pydantic schema, a row for each event."""

from __future__ import annotations

from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone
from ninja import Field, NinjaAPI, Schema

application = get_wsgi_application()

from bench.peers.ninja_rows.models import PeerEvent  # noqa: E402  # when Django is ready


class EventIn(Schema):
    """An event as it comes."""

    event_name: str = Field(max_length=50)
    event_time: int
    action_source: str
    user_data: dict[str, Any]
    event_id: str = Field("", max_length=100)
    event_source_url: str = ""
    custom_data: dict[str, Any] | None = None


class EventsIn(Schema):
    """A request."""

    data: list[EventIn] = Field(min_length=1, max_length=1_000)


api = NinjaAPI()


@api.post("/capi/{pixel_id}/events", response={202: dict[str, Any]})
def receive(request: HttpRequest, pixel_id: str, body: EventsIn) -> tuple[int, dict[str, Any]]:
    """Store the events."""
    rows = [PeerEvent(pixel_id=pixel_id, received_at=timezone.now(), **event.dict()) for event in body.data]
    PeerEvent.objects.bulk_create(rows)
    return 202, {"events_received": len(rows)}


urlpatterns = [path("", api.urls)]
