"""Whatever is killed whenever: every event of a gateway source that got 202 reaches each of its destinations, and is
counted exactly once in each."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.db.models import Sum

from accounts.models import Tenant
from events.figures.books import DESTINATIONS, SOURCES, Book
from events.models import Counter, DestinationRow, SourceRow
from events.sandbox import Sandbox
from events.sandbox.server import serve
from pipelines.models import Destination, DestinationType, Source
from tests.base import tenant
from tests.factories import (
    DestinationFactory,
    DomainFilterFactory,
    EventFilterFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    SourceFactory,
)
from tests.instance import Instance
from tests.slow.test_kill import DRAIN_SECONDS, SENDERS, Request, Sender, WatchedSandbox, fate, kill_at_random, stored

FATES = ("published", "dropped_by_event_filter", "dropped_by_domain_filter", "failed", "expired")
#: What is counted: by the owner's id, dimension, label and column.
Counts = Tally[tuple[str, int, str, str]]


def make_pipelines(account: Tenant) -> tuple[list[Source], dict[Destination, list[Source]]]:
    """Two sources, and three data sets at Meta: one of both, one of the first, and one that two pipelines lead to."""
    sources = [SourceFactory.create(tenant=account) for _ in range(2)]
    data_sets = {}
    for number, reached_by in ((7001, sources), (7002, sources[:1]), (7003, sources)):
        destination = DestinationFactory.create(
            tenant=account,
            type=DestinationType.META_CONVERSIONS_API,
            settings={"dataSetId": str(number), "apiVersion": "v24.0"},
            secrets='{"accessToken": "a test\'s token"}',
        )
        pipeline = PipelineFactory.create(tenant=account)
        PipelineDestinationFactory.create(pipeline=pipeline, destination=destination)
        for source in reached_by:
            PipelineSourceFactory.create(pipeline=pipeline, source=source)
        data_sets[destination] = reached_by
    twice = PipelineFactory.create(tenant=account, blocked_event_types=["Subscribe"])
    PipelineSourceFactory.create(pipeline=twice, source=sources[0])
    PipelineDestinationFactory.create(pipeline=twice, destination=list(data_sets)[-1])
    return sources, data_sets


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_destination_loses_an_event_or_counts_it_twice(tmp_path: Path) -> None:
    account = tenant("Shoes")
    sources, destinations = make_pipelines(account)
    EventFilterFactory.create(tenant=account, event_name="Blocked")
    DomainFilterFactory.create(tenant=account, domain="staging.example.com")
    sandbox = WatchedSandbox(seed=21)
    sandbox.fail(code=2, probability=0.04)
    sandbox.fail(code=4, probability=0.03)
    sandbox.fail(close=True, accept=True, probability=0.04)  # taken, but the answer is lost
    sandbox.fail(delay_seconds=0.1, probability=0.5)
    sandbox.fail(code=2, pixel_id="7002", probability=0.4)  # the broken one

    with (
        serve(sandbox) as graph_api,
        Instance(tmp_path, graph_api, PUBLISH_TIMEOUT_SECONDS=1, LANE_LEASE_SECONDS=4) as instance,
    ):
        instance.start_worker()
        instance.start_web()
        senders = [Sender(instance.url, [each.source_id for each in sources], seed) for seed in range(SENDERS)]
        for sender in senders:
            sender.start()
        kill_at_random(instance, sandbox)
        for sender in senders:
            sender.enough.set()
            sender.join(20)
        sandbox.recover()
        wait_until_drained(instance)

    requests = stored(sandbox, [request for sender in senders for request in sender.sent])
    for destination, reached_by in destinations.items():
        source_ids = {source.source_id for source in reached_by}
        of_destination = [request for request in requests if request.pixel_id in source_ids]
        assert_all_arrived(sandbox, destination, of_destination)
        data_set = destination.settings["dataSetId"]
        assert_counted(DESTINATIONS, {destination.pk: data_set}, counts_of(of_destination, data_set))
    received: Counts = Tally()
    for source in sources:
        received += counts_of([each for each in requests if each.pixel_id == source.source_id], source.source_id)
    at_source = Tally({key: n for key, n in received.items() if key[-1].endswith(("received", "ids_seen"))})
    assert_counted(SOURCES, {source.pk: source.source_id for source in sources}, at_source)
    # The faults and kills had events sent again, or this test shows nothing.
    assert sandbox.duplicates
    print(  # noqa: T201  # pytest shows it with -rP
        f"{sandbox.received_count} events published, {sandbox.duplicates} of them again, of {len(requests)} requests"
    )


def wait_until_drained(instance: Instance) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while SourceRow.objects.exists() or DestinationRow.objects.exists():
        assert time.monotonic() < deadline, (
            f"{SourceRow.objects.count()} and {DestinationRow.objects.count()} rows wait: {instance.log('worker')}"
        )
        time.sleep(0.2)


def assert_all_arrived(sandbox: Sandbox, destination: Destination, requests: Iterable[Request]) -> None:
    due = {event["event_id"] for request in requests for event in request.events if fate(event) == "published"}
    data_set = destination.settings["dataSetId"]
    came = [arrival.event["event_id"] for arrival in sandbox.arrivals if arrival.pixel_id == data_set]
    assert len(came) == len(set(came))
    assert set(came) == due


def counts_of(requests: Iterable[Request], owner: str) -> Counts:
    """What has to be counted of the requests."""
    expected: Counts = Tally()
    for request in requests:
        for event in request.events:
            website = event["event_source_url"].removeprefix("https://").rstrip("/")
            for dimension, label in ((0, ""), (1, event["event_name"]), (2, website)):
                expected[owner, dimension, label, "received"] += 1
                expected[owner, dimension, label, fate(event)] += 1
                if request.by_browser:  # whose only event no filter drops
                    expected[owner, dimension, label, "browser_received"] += 1
                    expected[owner, dimension, label, "browser_published"] += 1
                if dimension != Counter.Dimension.WEBSITE:  # each event has an id of its own
                    expected[owner, dimension, label, "ids_seen"] += 1
                    expected[owner, dimension, label, "browser_ids_seen"] += request.by_browser
    return expected


def assert_counted(book: Book, owners: dict[int, str], expected: Counts) -> None:
    columns = [column for column in book.columns if column != "publish_errors" and not column.startswith("lacks_")]
    for span in Counter.Span:
        counted: Counts = Tally()
        rows = book.counter._default_manager.filter(span=span, **{f"{book.owner}__in": owners})
        for owner, dimension, label, *sums in rows.values_list(book.owner, "dimension", "label").annotate(
            *map(Sum, columns)
        ):
            for column, number in zip(columns, sums, strict=True):
                counted[owners[owner], dimension, label, column] += number
        assert +counted == +Tally({key: n for key, n in expected.items() if key[-1] in columns}), span
