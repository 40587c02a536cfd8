"""What one would write first: django-ninja, a pydantic schema, a row for each event; and a loop of ORM objects.

granian --interface wsgi bench.peer:application
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any, ClassVar

import dj_database_url
import django
import httpx
from django.conf import settings

if not settings.configured and os.environ.get("PORTAL_BENCH_PEER"):
    settings.configure(
        DATABASES={
            "default": {
                **dj_database_url.parse(os.environ["DATABASE_URL"]),
                "OPTIONS": {"pool": {"min_size": 1, "max_size": 10}},
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes"],
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="bench",  # noqa: S106  # of nothing
        USE_TZ=True,
    )
    django.setup()

from django.db import connection, models  # the settings come first
from django.db.models import F
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone
from ninja import Field, NinjaAPI, Schema


class PeerEvent(models.Model):
    """An event."""

    pixel_id = models.CharField(max_length=20, db_index=True)
    event_name = models.CharField(max_length=50)
    event_id = models.CharField(max_length=100)
    event_time = models.BigIntegerField()
    action_source = models.CharField(max_length=30)
    event_source_url = models.TextField(blank=True)
    user_data = models.JSONField()
    custom_data = models.JSONField(null=True)
    received_at = models.DateTimeField()

    objects: ClassVar[models.Manager[PeerEvent]] = models.Manager()

    class Meta:
        app_label = "bench_peer"

    def __str__(self) -> str:
        return self.event_id


class PeerCount(models.Model):
    """How many events of a name were published."""

    event_name = models.CharField(max_length=50, unique=True)
    published = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[PeerCount]] = models.Manager()

    class Meta:
        app_label = "bench_peer"

    def __str__(self) -> str:
        return self.event_name


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


api = NinjaAPI(urls_namespace="bench_peer")


@api.post("/capi/{pixel_id}/events", response={202: dict[str, Any]})
def receive(request: HttpRequest, pixel_id: str, body: EventsIn) -> tuple[int, dict[str, Any]]:
    """Store the events."""
    rows = [PeerEvent(pixel_id=pixel_id, received_at=timezone.now(), **event.dict()) for event in body.data]
    PeerEvent.objects.bulk_create(rows)
    return 202, {"events_received": len(rows)}


urlpatterns = [path("", api.urls)]


def create_tables() -> None:
    """Make the tables, which have no migration."""
    with connection.schema_editor() as editor:
        editor.create_model(PeerEvent)
        editor.create_model(PeerCount)


def publish_all(url: str) -> int:
    """Publish a thousand events at a time, count them, delete them; the number of events."""
    done = 0
    with httpx.Client() as client:
        while events := list(PeerEvent.objects.order_by("id")[:1_000]):
            data = [
                {
                    "event_name": event.event_name,
                    "event_time": event.event_time,
                    "event_id": event.event_id,
                    "action_source": event.action_source,
                    "event_source_url": event.event_source_url,
                    "user_data": event.user_data,
                    "custom_data": event.custom_data,
                }
                for event in events
            ]
            client.post(url, content=json.dumps({"data": data, "access_token": "bench"})).raise_for_status()
            for name, number in Counter(event.event_name for event in events).items():
                PeerCount.objects.get_or_create(event_name=name)
                PeerCount.objects.filter(event_name=name).update(published=F("published") + number)
            PeerEvent.objects.filter(pk__in=[event.pk for event in events]).delete()
            done += len(events)
    return done


if os.environ.get("PORTAL_BENCH_PEER"):
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
