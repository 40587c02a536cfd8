"""Gateway sources stand in the addresses of pixels: their events are taken in alike, and each is received once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from limits import parse
from pytest_django import Settings

from accounts.models import TenantStatus
from events.figures.books import SOURCES
from events.gateway.taking_in import sources_with_news, take_in
from events.intake.outbox import NewRow, store_together
from events.models import Intake, OutboxRow, Road, SourceLabel, SourceLane, SourceRow
from pipelines.models import Source
from tests.events.browser_posting import post as post_as_browser
from tests.events.gateway.stage import counted, of_source, pipeline, put, source_of
from tests.events.sending import ask, purchase, send
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return source_of()


def test_a_server_sends_to_a_source_as_to_a_pixel(source: Source) -> None:
    reply = send(source.source_id, purchase(event_id="order-1"), purchase(event_id="order-2"), test_event_code="T1")

    assert (reply.status, reply.body["events_received"]) == (202, 2)
    row = SourceRow.objects.get()
    assert (row.source, row.event_count, row.road, row.place) == (source, 2, Road.SERVER, None)
    assert [event["event_id"] for event in json.loads(bytes(row.body))] == ["order-1", "order-2"]
    assert json.loads(row.options) == {"test_event_code": "T1"}
    assert not OutboxRow.objects.exists()


def test_metas_libraries_do_so_too(source: Source) -> None:
    body = json.dumps({"data": [purchase()]}).encode()
    assert ask("POST", f"/v24.0/{source.source_id}/events", body, "application/json").status == 200
    assert SourceRow.objects.count() == 1


def test_a_browser_sends_to_a_source_as_to_a_pixel(source: Source) -> None:
    reply = post_as_browser({"event_name": "PageView", "fb.pixel_id": source.source_id})
    assert reply.status == 200
    assert SourceRow.objects.get().road == Road.BROWSER


@pytest.mark.parametrize(
    ("event", "said"),
    [({"event_name": ""}, "event_name"), ({"user_data": {}}, "user_data"), ({"event_time": 1}, "7 days")],
)
def test_what_breaks_a_rule_is_refused(source: Source, event: dict[str, Any], said: str) -> None:
    reply = send(source.source_id, purchase(**event))
    assert reply.status == 400
    assert said in reply.message
    assert not SourceRow.objects.exists()


def test_the_limit_of_events_holds(source: Source, settings: Settings) -> None:
    settings.PIXEL_RATE_LIMIT = parse("2/minute")
    assert [send(source.source_id, purchase()).status for _ in range(3)] == [202, 202, 429]


def test_an_id_that_nobody_has_costs_one_query() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert send("4711", purchase()).status == 404
        assert send("4711", purchase()).status == 404
    assert len(queries) == 1


def test_a_source_is_looked_for_once(source: Source) -> None:
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            send(source.source_id, purchase())
    assert sum("pipelines_source" in query["sql"] for query in queries.captured_queries) == 1


def test_a_source_that_is_deleted_is_unknown(source: Source) -> None:
    assert send(source.source_id, purchase()).status == 202
    source.delete()
    assert send(source.source_id, purchase()).status == 404
    assert not SourceRow.objects.exists()


def test_sources_of_a_deactivated_account_are_unknown(source: Source) -> None:
    source.tenant.status = TenantStatus.DEACTIVATED
    source.tenant.save()
    assert send(source.source_id, purchase()).status == 404


def test_what_a_source_gets_while_it_is_off_is_counted_as_dropped(source: Source) -> None:
    pipeline(source)
    source.active = False
    source.save()
    assert send(source.source_id, purchase()).status == 202
    assert post_as_browser({"event_name": "PageView", "fb.pixel_id": source.source_id}).status == 200
    assert set(SourceRow.objects.values_list("intake", flat=True)) == {Intake.RECEIVING_OFF}

    take_in(source.pk)

    assert of_source(source) == {
        "received": 2, "dropped_receiving_off": 2, "browser_received": 1, "browser_dropped": 1,
    }  # fmt: skip
    assert not SourceRow.objects.exists()


def test_rows_of_pixels_and_sources_that_come_together_are_all_stored(source: Source) -> None:
    pixel = PixelFactory.create()

    def work(row: NewRow) -> Any:
        yield row
        return row.owner_pk

    rows = [NewRow(pixel.pk, 0, 1, "", b"[]"), NewRow(source.pk, 0, 1, "", b"[]", is_source=True)] * 2
    assert store_together([work(row) for row in rows]) == [pixel.pk, source.pk] * 2
    assert (OutboxRow.objects.count(), SourceRow.objects.count()) == (2, 2)


def test_what_was_taken_in_is_counted_once_and_has_its_place(source: Source) -> None:
    pipeline(source, destinations=2)
    for number in range(3):
        put(source, purchase(event_id=f"order-{number}"), purchase(event_id=f"other-{number}"))
    assert sources_with_news() == [source.pk]

    assert len(take_in(source.pk)) == 2
    assert take_in(source.pk) == []

    assert of_source(source) == {"received": 6}
    assert counted(SOURCES, source.pk, dimension=2) == {"received": 6}
    assert list(SourceRow.objects.order_by("id").values_list("place", flat=True)) == [1, 2, 3]
    assert SourceLane.objects.get().placed == 3
    assert set(SourceLabel.objects.values_list("label", flat=True)) == {"Purchase", "shop.example.com"}
    assert sources_with_news() == []


def test_nothing_is_kept_of_a_source_that_leads_nowhere(source: Source) -> None:
    put(source, purchase())
    assert take_in(source.pk) == []
    assert of_source(source) == {"received": 1}
    assert not SourceRow.objects.exists()
