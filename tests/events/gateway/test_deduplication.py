"""Which event ids of a gateway source came from browsers and from servers: counted, shown, and forgotten in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from events.deduplication import Kind, read_deduplication
from events.figures import id_sample, seen_ids
from events.figures.books import SOURCES
from events.figures.counting import Tally
from events.gateway.taking_in import take_in
from events.models import IdFinding, Road, SeenId, SourceIdFinding, SourceLane, SourceRow, SourceSeenId
from events.pruning import prune
from pipelines.models import Source
from tests.base import Cast, client_of, login
from tests.events.gateway.conftest import Receivers
from tests.events.gateway.stage import ids_of_source, pipeline, purchase, put, run, source_of
from tests.factories import PixelFactory
from tests.operations import run as ask
from tests.pages import address, get, text_of

pytestmark = pytest.mark.django_db

SERVER, BROWSER = Road


@pytest.fixture
def source(cast: Cast) -> Source:
    return source_of(cast.shoes)


def came(source: Source, road: Road, *event_ids: str, ago: timedelta = timedelta(0), **changes: Any) -> None:
    """Events came, some time ago, were taken in, and sent on."""
    events = [purchase(event_id=event_id, **changes) for event_id in event_ids]
    put(source, *events, road=road, received_at=timezone.now() - ago)
    run(source)


def count(source: Source, *, browser: int, server: int, on_both: int = 0) -> None:
    """Count so many events, each with an id."""
    tally = Tally(SOURCES)
    for road, n in ((Road.BROWSER, browser), (Road.SERVER, server)):
        for column in ("received", "ids_seen"):
            tally.add(timezone.now(), "Purchase", None, column, n, road=road)
    tally.add(timezone.now(), "Purchase", None, "ids_on_both", on_both)
    tally.write(source.pk)


def test_an_id_that_comes_on_both_roads_is_counted_once_wherever_it_goes(source: Source, receivers: Receivers) -> None:
    pipeline(source, destinations=3)
    came(source, BROWSER, "order-1", "order-2")
    came(source, SERVER, "order-1")

    assert ids_of_source(source) == {"ids_seen": 3, "browser_ids_seen": 2, "ids_on_both": 1}
    assert not SeenId.objects.exists()


def test_ids_are_compared_where_no_pipeline_leads_on(source: Source) -> None:
    came(source, BROWSER, "order-1")
    came(source, SERVER, "order-1")

    assert ids_of_source(source)["ids_on_both"] == 1


def test_ids_of_other_sources_and_of_pixels_are_others(source: Source) -> None:
    SeenId.objects.create(pixel=PixelFactory.create(pk=source.pk), digest=id_sample.digest_of("Purchase", "order-1"))
    came(source_of(source.tenant), SERVER, "order-1")
    came(source, BROWSER, "order-1")

    assert ids_of_source(source) == {"ids_seen": 1, "browser_ids_seen": 1}


def test_ids_that_come_again_and_those_of_several_orders_are_found(source: Source) -> None:
    came(source, SERVER, "visit-1", ago=timedelta(hours=3), custom_data={"order_id": "A"})
    came(source, SERVER, "visit-1", custom_data={"order_id": "B"})

    counted = ids_of_source(source)
    assert (counted["ids_repeated"], counted["ids_of_other_orders"]) == (1, 1)
    found = SourceIdFinding.objects.filter(source=source).order_by("kind")
    assert [(one.kind, one.examples) for one in found] == [(0, ["visit-1"]), (2, ["visit-1"])]
    assert not IdFinding.objects.exists()
    told = [finding.kind for _, finding in read_deduplication(source).findings]
    assert told == [Kind.REPEATED, Kind.MANY_ORDERS]


def test_so_many_ids_are_remembered_and_others_counted_by_them(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_ids, "MAX_IDS", 100)
    monkeypatch.setattr(seen_ids.random, "random", lambda: 0.0)  # type: ignore[attr-defined]
    came(source, SERVER, *(f"order-{n}" for n in range(1_000)))
    came(source, BROWSER, *(f"order-{n}" for n in range(1_000)))

    assert SourceSeenId.objects.count() <= 100
    assert SourceLane.objects.get().ids_levels
    one = read_deduplication(source).names[0]
    assert one.margin > 0
    assert 500 < one.on_both <= 1_000


def test_a_damaged_row_is_taken_in(source: Source) -> None:
    body = b'[{"event_name": 7, "custom_data": {"order_id": "A"}}]'
    SourceRow.objects.create(source=source, received_at=timezone.now(), event_count=2, body=body)
    SourceRow.objects.create(source=source, received_at=timezone.now(), event_count=1, body=b'["order_id"')
    take_in(source.pk)

    assert ids_of_source(source) == {}


def test_examples_are_told_once_whatever_the_number_of_destinations(source: Source, receivers: Receivers) -> None:
    pipeline(source, destinations=3)
    came(source, BROWSER, "ob3_plugin-set_1")
    came(source, SERVER, "order-1")
    count(source, browser=200, server=200)

    ((_, finding),) = read_deduplication(source).findings
    assert finding.kind is Kind.NEVER_ON_BOTH
    assert finding.examples == [("ob3_plugin-set_1", BROWSER), ("order-1", SERVER)]


@pytest.mark.parametrize(
    ("language", "texts"),
    [("en", ["Deduplication, last 48 hours", "75 %"]), ("es", ["Deduplicación, últimas 48 horas", "75"])],
)
def test_a_page_shows_them_by_name_and_the_sources_page_loads_it(
    cast: Cast, source: Source, language: str, texts: list[str]
) -> None:
    count(source, browser=40, server=50, on_both=30)
    client = login(cast.vic)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = address("pipelines:source_deduplication", cast.shoes, source.source_id)

    whole: Any = client.get(page)
    part: Any = client.get(page, headers={"HX-Request": "true"})

    assert [text for text in texts if text not in text_of(whole) or text not in text_of(part)] == []
    assert b"<html" not in part.content
    assert page in get(cast.vic, "pipelines:source", cast.shoes, source.source_id).content.decode()


def test_graphql_tells_them_by_the_sources_id(cast: Cast, source: Source) -> None:
    count(source, browser=40, server=50, on_both=30)
    told = ask(client_of(cast.robot), "eventDeduplication", tenantId=cast.shoes.pk, pixelId=source.source_id)

    (one,) = told.body["data"]["tenantQueries"]["eventDeduplication"]
    assert one["id"] == f"EventDeduplication:{source.source_id}:Purchase"
    assert (one["browserCount"], one["serverCount"], one["idsOnBothCount"], one["share"]) == (40, 50, 30, 0.75)


def test_ids_are_forgotten_after_two_days_and_findings_after_a_week(source: Source) -> None:
    now = timezone.now()
    for number, days in enumerate((1, 3)):
        SourceSeenId.objects.create(source=source, digest=number, server_at=now - timedelta(days=days))
    for name, days in (("Lead", 6), ("Old", 8)):
        at = now - timedelta(days=days)
        SourceIdFinding.objects.create(source=source, kind=0, event_name=name, count=1, last_at=at)

    prune(now)

    assert list(SourceSeenId.objects.values_list("digest", flat=True)) == [0]
    assert list(SourceIdFinding.objects.values_list("event_name", flat=True)) == ["Lead"]
    source.delete()
    assert not SourceSeenId.objects.exists()
    assert not SourceIdFinding.objects.exists()
