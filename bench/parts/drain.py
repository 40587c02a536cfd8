"""Publishing what waits, with two workers: beside two processes that loop over ORM objects, and beside the intake.

All filter, publish to an events edge that takes everything, count and delete. The time runs from when a tenth is done,
so that nobody's start counts, until nothing waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median

from django.db import connection
from django.db.models import Sum

from accounts.principals import OPERATOR
from bench import load, place, servers, stage
from bench.parts.intake import empty_tables
from bench.peers.ninja_rows.models import PeerEvent
from bench.report import Result, Row
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds
from events.models import OutboxRow
from filters.services import update_domain_filter, update_event_filter
from tests.instance import Instance

#: More than there are workers: each pixel is one worker's at a time.
PIXELS = [str(880_000_000_000_001 + number) for number in range(6)]
SIZES = (1, 100)
TIMES_LOOP = 3.5
LOOP = "two loops of ORM objects"
DONE_FIRST = 0.9
LIMIT_SECONDS = 600


def measure(effort: Effort) -> list[Result]:
    """Round by round: take in and drain, by events a request, and the loop."""
    url = place.address()
    servers.run_sql(url, "intake.sql")
    _make_pixels()
    intakes: Rounds = {}
    with stage.sink() as graph_api, servers.portal(url, graph_api) as portal:

        def drained(size: int) -> float:
            empty_tables()  # so that no dead rows of the last are vacuumed during this one
            intakes.setdefault(_intake(size), []).append(_take_in(portal, size))
            fill_up(effort.events // 3)
            return _drain(portal)

        def looped() -> float:
            empty_tables()
            return _loop(url, graph_api, effort.events // 10)

        things: dict[str, Callable[[], float]] = {_workers(size): partial(drained, size) for size in SIZES}
        found = intakes | measure_rounds(things | {LOOP: looped}, effort.rounds)
    rows = []
    for size in SIZES:
        work, rates = f"drain, {size} a request", found[_workers(size)]
        rows += [
            Row(work, LOOP, TIMES_LOOP, ratio(rates, found[LOOP])),
            Row(work, "intake", 1.0, ratio(rates, found[_intake(size)])),
        ]
    return [Result("Drain", rows, "events a second", {name: median(rates) for name, rates in found.items()})]


def _intake(size: int) -> str:
    return f"intake alone, {size} a request"


def _workers(size: int) -> str:
    return f"two workers, {size} a request"


def _make_pixels() -> None:
    for pixel_id in PIXELS:
        tenant_id = stage.make_pixel(pixel_id).tenant_id
        update_event_filter(principal=OPERATOR, tenant_id=tenant_id, event_name="Heartbeat", state="DROP")
        update_domain_filter(principal=OPERATOR, tenant_id=tenant_id, domain="staging.example.com", state="DROP")


def _take_in(portal: Instance, size: int) -> float:
    """Post for a second to each pixel; the events a second."""
    body = stage.body_of(size)
    done = [load.post_well(f"{portal.url}/capi/{pixel_id}/events", body, seconds=1) for pixel_id in PIXELS]
    return sum(one.requests for one in done) * size / sum(one.seconds for one in done)


def fill_up(count: int) -> None:
    """Repeat what waits, until it is so many events or more: single ones take far longer to come in than to go out."""
    times = -(-count // waiting()) - 1
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [times])


def waiting() -> int:
    """The events that wait."""
    return OutboxRow.objects.aggregate(n=Sum("event_count"))["n"] or 0


def _drain(portal: Instance) -> float:
    for name in ("one", "two"):
        portal.start_worker(name, beat=name == "one")
    rate = _rate_of(waiting, lambda: not OutboxRow.objects.exists())
    for name in ("one", "two"):
        portal.stop(name)
    return rate


def _loop(url: str, graph_api: str, count: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [stage.PIXEL_ID, count])
        cursor.execute("ANALYZE peer_events")
    address = f"{graph_api}/v24.0/{stage.PIXEL_ID}/events"
    command = [str(servers.PEER_PYTHON), "-m", "bench.peers.ninja_rows.loop", address]
    environment = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bench.peers.settings"}
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(servers.process(command, environment))
        return _rate_of(PeerEvent.objects.count, lambda: not PeerEvent.objects.exists())


def _rate_of(left: Callable[[], int], is_done: Callable[[], bool]) -> float:
    total, begun = left(), time.monotonic()
    while (then := left()) > total * DONE_FIRST:
        _wait(begun, 0.1)
    start = time.monotonic()
    while not is_done():
        _wait(begun, 0.02)
    return then / (time.monotonic() - start)


def _wait(begun: float, seconds: float) -> None:
    if time.monotonic() - begun > LIMIT_SECONDS:
        raise TimeoutError("what waits is not getting less")
    time.sleep(seconds)


_AGAIN = """
INSERT INTO events_outboxrow (pixel_id, intake, event_count, options, body, received_at, counted)
SELECT pixel_id, intake, event_count, options, body, received_at, counted
FROM events_outboxrow, generate_series(1, %s)
"""

#: Events like ``stage.event``.
_EVENTS = """
INSERT INTO peer_events (
    pixel_id, event_name, event_id, event_time, action_source, event_source_url, user_data, custom_data, received_at)
SELECT
    %s, (ARRAY['PageView', 'ViewContent', 'AddToCart', 'Purchase'])[i % 4 + 1], 'order-' || lpad(i::text, 12, '0'),
    extract(epoch FROM now())::bigint, 'website',
    'https://shop.example.com/products/' || i % 100 || '?utm_source=newsletter',
    jsonb_build_object(
        'em', jsonb_build_array(lpad(to_hex(i), 64, '0')), 'ph', jsonb_build_array(lpad(to_hex(i + 1), 64, '0')),
        'client_ip_address', '203.0.113.7', 'fbp', 'fb.1.1760000000000.' || i,
        'client_user_agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'),
    '{"currency": "EUR", "value": 89.9, "content_ids": ["shoe-1", "shoe-2"], "num_items": 2}', now()
FROM generate_series(0, %s - 1) AS i
""".replace("i % ", "i %% ")
