"""A loop of ORM objects that filters, publishes, counts and deletes: ``python -m bench.peers.ninja_rows.loop URL``.

Several may run beside each other: each locks the events that it has in hand.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from urllib.parse import urlsplit

import django
import httpx

BATCH = 1_000
DROPPED_NAMES = {"Heartbeat"}
DROPPED_SITES = {"staging.example.com"}


def publish_all(url: str) -> int:
    """Publish a thousand events at a time until none is left; how many there were."""
    done = 0
    with httpx.Client() as client:
        while batch := _publish_some(client, url):
            done += batch
    return done


def _publish_some(client: httpx.Client, url: str) -> int:
    from django.db import transaction
    from django.db.models import F

    from bench.peers.ninja_rows.models import PeerCount, PeerEvent  # when Django is ready

    with transaction.atomic():
        events = list(PeerEvent.objects.select_for_update(skip_locked=True).order_by("id")[:BATCH])
        kept = [event for event in events if _is_published(event.event_name, event.event_source_url)]
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
            for event in kept
        ]
        if data:
            client.post(url, content=json.dumps({"data": data, "access_token": "bench"})).raise_for_status()
        PeerEvent.objects.filter(pk__in=[event.pk for event in events]).delete()
        for name, number in sorted(Counter(event.event_name for event in kept).items()):
            PeerCount.objects.get_or_create(event_name=name)
            PeerCount.objects.filter(event_name=name).update(published=F("published") + number)
    return len(events)


def _is_published(name: str, website: str) -> bool:
    return name not in DROPPED_NAMES and urlsplit(website).hostname not in DROPPED_SITES


if __name__ == "__main__":
    django.setup()
    publish_all(sys.argv[1])
