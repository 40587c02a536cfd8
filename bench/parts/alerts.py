"""Looking at all alert rules when 200 of 20,000 accounts have traffic, and when these 200 are all there are.

    python -m bench.parts.alerts fill | look

is the part that knows Django, on DATABASE_URL: it adds what rules look at, or looks some times and prints its median
time in milliseconds, and that of each rule.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import django

from bench import place
from bench.fill import account_id, busy_accounts, fill_database, pixel_id
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from bench.rounds import measure as measure_rounds

BUSY, MANY = 200, 20_000
TIMES = 20
AT_MOST = 2
#: So many of the busy accounts have each kind of trouble.
BROKEN = 20
_HOURS = 36 * 24
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def measure(effort: Effort) -> list[Result]:
    """The task on two databases, in turn."""
    with place.database("few") as few, place.database("many") as many:
        things: dict[str, Callable[[], dict[str, float]]] = {}
        for url, accounts in ((few, BUSY), (many, MANY)):
            fill_database(url, accounts, busy=BUSY)
            _run(url, "fill", accounts)
            things[f"{accounts:,} accounts"] = partial(_look_at, url)
        found = measure_rounds(things, effort.rounds)
    small, large = found
    all_rules = {name: [each["all"] for each in rounds] for name, rounds in found.items()}
    row = Row(
        f"looking at all alert rules, {BUSY} of {large} have traffic",
        f"{small} in all",
        AT_MOST,
        ratio(all_rules[large], all_rules[small]),
        at_most=True,
    )
    figures = {
        f"{rule}, {name}": median(each[rule] for each in rounds)
        for rule in found[small][0]
        for name, rounds in found.items()
    }
    note = (
        f"50 pixels, a source and a destination in each account. Of those with traffic, {BROKEN} each: token rejected, "
        "silent, waiting, failing, refused at intake, destination held or behind."
    )
    return [Result("Alerts", [row], "ms", figures, note)]


def _look_at(url: str) -> dict[str, float]:
    return dict(json.loads(_run(url, "look")))


def _run(url: str, *what: object) -> bytes:
    command = [sys.executable, "-m", "bench.parts.alerts", *map(str, what)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, "DATABASE_URL": url}).stdout


def _fill(accounts: int) -> None:
    """Add what rules look at: for each account what is well, and for busy ones hours of traffic and trouble."""
    from django.db import connection

    from accounts.models import IngressDomain, Tenant  # when Django is ready
    from events.models import DestinationCursor, DestinationLane, Lane, Registration, SourceLane
    from pipelines.models import Destination, DestinationType, Source, SourceType
    from pixels.models import Pixel

    Tenant.objects.exclude(pk__startswith="B0").delete()  # the first, which the others were made of
    ids = [account_id(number) for number in range(1, accounts + 1)]
    firsts = dict(
        Pixel.objects.filter(pixel_id__in=[pixel_id(n, 1) for n in range(1, accounts + 1)]).values_list(
            "tenant_id", "pk"
        )
    )

    def add(model: Any, rows: Any) -> dict[str, int]:
        made = model.objects.bulk_create(rows, batch_size=5_000)
        return {getattr(row, "tenant_id", ""): row.pk for row in made}

    verified = IngressDomain.Status.VERIFIED
    add(IngressDomain, (IngressDomain(tenant_id=pk, ingress=f"{pk}.example.com", target_domain="gateway.example.com",
                                      status=verified) for pk in ids))  # fmt: skip
    sources = add(Source, (Source(tenant_id=pk, name="Website", type=SourceType.ADVERTISER_HOSTED_PIXEL,
                                  source_id=str(8_000_000_000 + n)) for n, pk in enumerate(ids)))  # fmt: skip
    goals = add(Destination, (Destination(tenant_id=pk, name="Books", type=DestinationType.CUSTOM_HTTP_API)
                              for pk in ids))  # fmt: skip
    add(SourceLane, (SourceLane(source_id=pk, placed=2) for pk in sources.values()))
    add(DestinationLane, (DestinationLane(destination_id=pk) for pk in goals.values()))
    add(DestinationCursor, (DestinationCursor(destination_id=goals[pk], source_id=sources[pk], place=1) for pk in ids))
    add(Registration, (Registration(pixel_id=pk, state=Registration.State.REGISTERED) for pk in firsts.values()))
    add(Lane, (Lane(pixel_id=pk) for pk in firsts.values()))
    busy = busy_accounts(accounts, BUSY)
    _traffic([firsts[pk] for pk in busy], [goals[pk] for pk in busy])
    _trouble([firsts[pk] for pk in busy], [sources[pk] for pk in busy], [goals[pk] for pk in busy])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _traffic(pixels: list[int], goals: list[int]) -> None:
    from events.models import Counter, DestinationCounter

    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    counted: dict[str, Any] = {"span": Counter.Span.HOUR, "dimension": 0, "received": 40, "published": 40}
    Counter.objects.filter(pixel__in=pixels, span=Counter.Span.HOUR).delete()
    Counter.objects.bulk_create(
        (
            Counter(pixel_id=pk, start=this_hour - back * _HOUR, **counted)
            for number, pk in enumerate(pixels)
            for back in range(_HOURS)
            if back > 2 or not 0 <= number < BROKEN  # the first ones have fallen silent
        ),
        batch_size=5_000,
    )
    DestinationCounter.objects.bulk_create(
        DestinationCounter(destination_id=pk, start=this_hour, **counted) for pk in goals
    )


def _trouble(pixels: list[int], sources: list[int], goals: list[int]) -> None:
    from events.models import Counter, DestinationLane, Finding, OutboxRow, SourceRow
    from pixels.models import Pixel

    now = datetime.now(UTC)
    request = {"received_at": now - 40 * _MINUTE, "event_count": 1, "body": b"[{}]", "options": ""}
    kinds = iter(range(1, 9))

    def some(rows: list[int]) -> list[int]:
        first = next(kinds) * BROKEN
        return rows[first : first + BROKEN]

    Pixel.objects.filter(pk__in=some(pixels)).update(bad_token=True)
    OutboxRow.objects.bulk_create(OutboxRow(pixel_id=pk, counted=True, **request) for pk in some(pixels))
    Counter.objects.filter(pixel__in=some(pixels), span=1).update(failed=40)
    hour = now.replace(minute=0, second=0, microsecond=0)
    refused = {"hour": hour, "kind": Finding.Kind.REFUSED, "field": "event_time", "reason": "time_too_old"}
    Finding.objects.bulk_create(Finding(pixel_id=pk, count=30, events=30, **refused) for pk in some(pixels))
    SourceRow.objects.bulk_create(SourceRow(source_id=pk, place=2, **request) for pk in some(sources))
    DestinationLane.objects.filter(pk__in=some(goals)).update(held=True, code="401")


def _look() -> dict[str, float]:
    from alerts.looking import look, look_at
    from alerts.rules.table import RULES

    look()  # which opens what is wrong
    times = {"all": _median_time(look)}
    for rule in RULES:
        times[rule.name.value] = _median_time(lambda rule=rule: look_at(rule, datetime.now(UTC)))  # type: ignore[misc]
    return times


def _median_time(act: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        start = time.monotonic()
        act()
        times.append(time.monotonic() - start)
    return median(times) * 1_000


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "fill":
        _fill(int(sys.argv[2]))
    else:
        print(json.dumps(_look()))
