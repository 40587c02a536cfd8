"""How many events a second the worker publishes, counts and logs: ``python -m bench.drain``.

Next to what the intake takes in on the same machine, and to a loop over ORM objects that publishes, counts and deletes.
"""

from __future__ import annotations

import os
import time

import orjson
from django.test import override_settings
from django.utils import timezone

from bench import load, place, servers, stage
from bench.peers.ninja_rows.loop import publish_all
from bench.peers.ninja_rows.models import PeerEvent
from events.models import OutboxRow
from events.publishing import drain
from pixels.models import Pixel

EVENTS = int(os.environ.get("BENCH_EVENTS") or 100_000)
SIZES = (1, 100)


def main() -> None:
    """Measure and print."""
    pixel = stage.make_pixel()
    servers.run_sql(place.address(), "intake.sql")
    with stage.sink() as graph_api:
        with override_settings(GRAPH_API_URL=graph_api):
            drained = {size: _drain_rate(pixel, size) for size in SIZES}
        loop = _loop_rate(f"{graph_api}/v24.0/{stage.PIXEL_ID}/events")
        with stage.portal(graph_api, worker=False) as instance:
            url = f"{instance.url}/capi/{stage.PIXEL_ID}/events"
            taken = {
                size: load.post(url, stage.body_of(size), seconds=stage.SECONDS / len(SIZES)).rate * size
                for size in SIZES
            }
    stage.print_table(
        "Drain: events a second, one worker",
        ("", "portal", "intake alone", "ratio", "loop of ORM objects", "ratio"),
        [
            (f"{size} a request", drained[size], taken[size], drained[size] / taken[size], loop, drained[size] / loop)
            for size in SIZES
        ],
    )


def _drain_rate(pixel: Pixel, size: int) -> float:
    body = orjson.dumps([stage.event(number) for number in range(size)])
    row = {"pixel": pixel, "received_at": timezone.now(), "event_count": size, "body": body}
    count = EVENTS if size > 1 else EVENTS // 4
    OutboxRow.objects.bulk_create((OutboxRow(**row) for _ in range(count // size)), batch_size=1_000)
    start = time.monotonic()
    while OutboxRow.objects.exists():
        drain(pixel.pk)
    return count / (time.monotonic() - start)


def _loop_rate(url: str) -> float:
    count = EVENTS // 4
    events = (
        PeerEvent(pixel_id=stage.PIXEL_ID, received_at=timezone.now(), **stage.event(number)) for number in range(count)
    )
    PeerEvent.objects.bulk_create(events, batch_size=1_000)
    start = time.monotonic()
    publish_all(url)
    return count / (time.monotonic() - start)


if __name__ == "__main__":
    main()
