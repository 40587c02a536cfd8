"""Event ids on both roads, again on one, and of several orders: told once each, from a sample that is bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.delivery.batches import read
from events.delivery.publishing import drain
from events.delivery.sampled_ids import sampled_arrivals
from events.figures import seen_ids
from events.figures.counting import Tally
from events.figures.id_sample import CLASSES, STANDARD_EVENTS, class_in, class_of, digest_of
from events.models import Counter, IdFinding, Lane, OutboxRow, Road, SeenId
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.outbox import again, counted_ids, purchase, put
from tests.factories import EventFilterFactory, PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred ids of a class are remembered."""
    monkeypatch.setattr(seen_ids, "MAX_IDS", 100)
    monkeypatch.setattr(seen_ids, "MAX_IDS_OF_ONE_ROAD", 100)


@pytest.fixture(autouse=True)
def _looked_at_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_ids.random, "random", lambda: 0.0)  # type: ignore[attr-defined]


def came(pixel: Pixel, road: Road, *event_ids: str, ago: timedelta = timedelta(0), **changes: Any) -> None:
    """Events came, some time ago, and were worked off."""
    events = [purchase(event_id=event_id, **changes) for event_id in event_ids]
    put(pixel, *events, road=road, received_at=timezone.now() - ago)
    drain(pixel.pk)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


# --- Both roads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("roads", [(Road.SERVER, Road.BROWSER), (Road.BROWSER, Road.SERVER)])
def test_an_id_that_comes_on_both_roads_is_counted_once(pixel: Pixel, roads: tuple[Road, Road]) -> None:
    came(pixel, roads[0], "order-1", "order-2")
    came(pixel, roads[1], "order-1")
    came(pixel, roads[0], "order-1")
    came(pixel, roads[1], "order-1")

    seen = {"ids_seen": 3, "browser_ids_seen": 1 + (roads[0] is Road.BROWSER), "ids_on_both": 1}
    assert counted_ids(pixel) == counted_ids(pixel, "Purchase") == seen


def test_both_roads_may_come_in_one_batch(pixel: Pixel) -> None:
    put(pixel, purchase(event_id="order-1"), road=Road.SERVER)
    put(pixel, purchase(event_id="order-1"), purchase(event_id="order-2"), road=Road.BROWSER)
    drain(pixel.pk)

    assert counted_ids(pixel) == {"ids_seen": 3, "browser_ids_seen": 2, "ids_on_both": 1}


def test_an_id_of_another_name_is_another_id(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "1")
    came(pixel, Road.BROWSER, "1", event_name="Lead")

    assert counted_ids(pixel) == {"ids_seen": 2, "browser_ids_seen": 1}


def test_ids_of_other_pixels_are_others(pixel: Pixel) -> None:
    came(PixelFactory.create(), Road.SERVER, "1")
    came(pixel, Road.BROWSER, "1")

    assert counted_ids(pixel) == {"ids_seen": 1, "browser_ids_seen": 1}


@pytest.mark.parametrize(("apart", "on_both"), [(hours(47.9), 1), (hours(48.1), 0)])
def test_meta_knows_an_id_for_48_hours(pixel: Pixel, apart: timedelta, on_both: int) -> None:
    came(pixel, Road.BROWSER, "order-1", ago=apart)
    came(pixel, Road.SERVER, "order-1")

    assert counted_ids(pixel).get("ids_on_both", 0) == on_both


def test_after_48_hours_an_id_is_new(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "order-1", ago=hours(60))
    came(pixel, Road.BROWSER, "order-1", ago=hours(59))
    came(pixel, Road.SERVER, "order-1", ago=hours(2))
    came(pixel, Road.BROWSER, "order-1", ago=hours(1.5))

    assert counted_ids(pixel) == {"ids_seen": 4, "browser_ids_seen": 2, "ids_on_both": 2}


def test_an_id_that_the_gateway_made_is_counted_and_not_remembered(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "gateway-0123456789abcdef0123456789abcdef")

    assert counted_ids(pixel) == {"ids_seen": 1}
    assert not SeenId.objects.exists()


def test_what_a_filter_drops_came_all_the_same(pixel: Pixel) -> None:
    EventFilterFactory.create(pixel=pixel, event_name="Purchase")
    came(pixel, Road.SERVER, "order-1")
    came(pixel, Road.BROWSER, "order-1")

    assert counted_ids(pixel)["ids_on_both"] == 1


# --- Again on one road ------------------------------------------------------------------------------------------------


def test_a_retry_within_an_hour_is_none(pixel: Pixel) -> None:
    came(pixel, Road.BROWSER, "order-1", "order-1", ago=hours(1))
    came(pixel, Road.BROWSER, "order-1", ago=hours(0.1))

    assert counted_ids(pixel) == {"ids_seen": 1, "browser_ids_seen": 1}
    assert not IdFinding.objects.exists()


def test_an_id_that_comes_again_later_is_told_with_an_example(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "order-1", ago=hours(5))
    came(pixel, Road.SERVER, "order-1", "order-1", ago=hours(3.5))
    came(pixel, Road.BROWSER, "order-1", ago=hours(3))
    came(pixel, Road.BROWSER, "order-1", ago=hours(1.5))

    counts = counted_ids(pixel)
    assert (counts["ids_repeated"], counts["browser_ids_repeated"]) == (3, 1)
    finding = IdFinding.objects.get()
    assert (finding.kind, finding.event_name, finding.count) == (IdFinding.Kind.REPEATED, "Purchase", 3)
    assert finding.examples == ["order-1"]
    assert finding.last_at == (timezone.now() - hours(1.5)).replace(second=0, microsecond=0)


def test_a_finding_keeps_the_newest_examples(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "1", "2", "3", "4", "5", ago=hours(5))
    came(pixel, Road.SERVER, "1", "2", ago=hours(3))
    came(pixel, Road.SERVER, "3", "4", ago=hours(2))
    came(pixel, Road.SERVER, "1", "4", ago=hours(1))

    assert IdFinding.objects.get().examples == ["4", "1", "3"]
    assert IdFinding.objects.get().count == 6


def test_of_a_pixel_findings_are_bounded(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.figures.id_findings.MAX_FINDINGS", 2)
    for name in ("Lead", "Purchase", "Junk", "Lead"):
        came(pixel, Road.SERVER, "1", ago=hours(5), event_name=name)
        came(pixel, Road.SERVER, "1", event_name=name)

    assert dict(IdFinding.objects.values_list("event_name", "count")) == {"Lead": 2, "Purchase": 1}


# --- One id for several orders ----------------------------------------------------------------------------------------


def ordered(pixel: Pixel, road: Road, *orders: object) -> None:
    for order_id in orders:
        came(pixel, road, "visit-1", custom_data={"currency": "EUR", "value": 9.5, "order_id": order_id})


def test_one_id_for_several_orders_is_told(pixel: Pixel) -> None:
    ordered(pixel, Road.SERVER, "A-1", "A-1", "A-2", 3)

    assert counted_ids(pixel)["ids_of_other_orders"] == 2
    finding = IdFinding.objects.get()
    assert (finding.kind, finding.count, finding.examples) == (IdFinding.Kind.MANY_ORDERS, 2, ["visit-1"])


def test_so_it_is_within_one_request(pixel: Pixel) -> None:
    events = [purchase(event_id="visit-1", custom_data={"value": 9, "currency": "EUR", "order_id": n}) for n in "112"]
    put(pixel, *events, purchase(event_id="visit-1"))
    drain(pixel.pk)

    assert counted_ids(pixel) == {"ids_seen": 1, "ids_of_other_orders": 1}


def test_events_of_one_order_arrive_alike(pixel: Pixel) -> None:
    put(pixel, *[purchase(event_id="visit-1", custom_data={"order_id": order_id}) for order_id in "AAB"])
    batch = read(pixel, now=timezone.now(), publishes=True)
    assert batch

    arrivals = sampled_arrivals(batch.by_arrival(), {})
    assert sorted(arrivals.values()) == [1, 2]
    assert len({arrival.order for arrival in arrivals} - {None}) == 2


def test_an_order_that_comes_on_both_roads_is_one(pixel: Pixel) -> None:
    """The roads may write an order's number differently."""
    ordered(pixel, Road.SERVER, "1042")
    ordered(pixel, Road.BROWSER, "#1042", "#1042")

    assert "ids_of_other_orders" not in counted_ids(pixel)


@pytest.mark.parametrize("order_id", [None, "", ["A"], {"a": 1}, True])
def test_what_is_no_order_tells_nothing(pixel: Pixel, order_id: object) -> None:
    ordered(pixel, Road.SERVER, "A-1", order_id, order_id)

    assert "ids_of_other_orders" not in counted_ids(pixel)


def test_names_of_which_nobody_pays_are_not_read_for_orders(pixel: Pixel) -> None:
    for order_id in ("A", "B"):
        came(pixel, Road.SERVER, "1", event_name="AddToCart", custom_data={"order_id": order_id})

    assert counted_ids(pixel) == {"ids_seen": 1}


# --- Told once --------------------------------------------------------------------------------------------------------


def test_what_waits_is_told_once(pixel: Pixel, sandbox: Sandbox) -> None:
    came(pixel, Road.BROWSER, "order-1", ago=hours(2))
    sandbox.fail(code=2, times=2)
    came(pixel, Road.SERVER, "order-1", ago=hours(1.5))
    SeenId.objects.all().delete()  # as if it had waited for days
    again(pixel)
    again(pixel)

    assert not OutboxRow.objects.exists()
    assert counted_ids(pixel) == {"ids_seen": 2, "browser_ids_seen": 1, "ids_on_both": 1}


def test_what_is_not_settled_is_not_told(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    came(pixel, Road.BROWSER, "order-1")

    def break_down(tally: Tally, pixel_pk: int) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Tally, "write", break_down)
        with pytest.raises(RuntimeError):
            came(pixel, Road.SERVER, "order-1")
    assert SeenId.objects.get().server_at is None

    Lane.objects.update(claim=None, claimed_until=None)
    drain(pixel.pk)
    assert counted_ids(pixel)["ids_on_both"] == 1


def test_new_ids_of_one_road_take_one_statement(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "0")  # from now on the day's labels are known
    with CaptureQueriesContext(connection) as queries:
        came(pixel, Road.SERVER, "1", "2", "3")

    about_ids = [query["sql"] for query in queries if "events_seenid" in query["sql"]]
    assert [sql.split()[0] for sql in about_ids if "COUNT" not in sql] == ["INSERT"]


# --- The sample -------------------------------------------------------------------------------------------------------


def test_standard_events_have_a_class_each() -> None:
    assert len({class_of(name) for name in STANDARD_EVENTS}) == len(STANDARD_EVENTS)
    assert all(len(STANDARD_EVENTS) <= class_of(f"Custom{number}") < CLASSES for number in range(1_000))


def test_digests_fit_into_the_column() -> None:
    digests = {
        digest_of(name, str(number)) for name in (*STANDARD_EVENTS, "Ünïcode", "\U0001f600") for number in range(99)
    }
    assert len(digests) == 20 * 99
    assert min(digests) >= 0
    assert max(digests) < 2**63
    assert class_in(digest_of("Purchase", "1")) == class_of("Purchase")


def flood(pixel: Pixel, name: str, event_ids: range, road: Road, ago: timedelta = timedelta(0)) -> None:
    for first in range(event_ids.start, event_ids.stop, 250):
        some = [purchase(event_name=name, event_id=str(n)) for n in range(first, min(first + 250, event_ids.stop))]
        put(pixel, *some, road=road, received_at=timezone.now() - ago)
    drain(pixel.pk)


def test_of_many_ids_a_sample_is_remembered(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_ids, "MAX_IDS", 400)
    monkeypatch.setattr(seen_ids, "MAX_IDS_OF_ONE_ROAD", 400)
    flood(pixel, "PageView", range(6_000), Road.BROWSER)
    assert SeenId.objects.count() <= 400
    level = Lane.objects.get().ids_levels[str(class_of("PageView"))]
    assert level >= 4

    flood(pixel, "PageView", range(3_000, 9_000), Road.SERVER)
    counts = counted_ids(pixel, "PageView")
    of_browsers, all_ids, on_both = counts["browser_ids_seen"], counts["ids_seen"], counts["ids_on_both"]
    assert abs(of_browsers - 6_000) < 800
    assert abs(all_ids - 12_000) < 1_600
    assert 0.35 < on_both / of_browsers < 0.65


def test_of_what_one_road_brings_and_nobody_pays_for_there_are_fewer(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_ids, "MAX_IDS", 400)
    monkeypatch.setattr(seen_ids, "MAX_IDS_OF_ONE_ROAD", 40)

    def remembered(name: str) -> int:
        return sum(class_in(digest) == class_of(name) for digest in SeenId.objects.values_list("digest", flat=True))

    flood(pixel, "Purchase", range(1_000), Road.SERVER)
    flood(pixel, "PageView", range(1_000), Road.SERVER)
    assert remembered("PageView") <= 40
    assert 200 <= remembered("Purchase") <= 400

    for first in range(1_000, 2_000, 50):
        flood(pixel, "PageView", range(first, first + 50), Road.BROWSER)
        flood(pixel, "PageView", range(first, first + 50), Road.SERVER)
    assert 200 <= remembered("PageView") <= 400


@pytest.mark.usefixtures("few")
def test_a_flood_of_one_name_leaves_the_others_exact(pixel: Pixel) -> None:
    flood(pixel, "PageView", range(3_000), Road.BROWSER)
    flood(pixel, "Purchase", range(90), Road.BROWSER)
    flood(pixel, "Purchase", range(45, 90), Road.SERVER)

    assert counted_ids(pixel, "Purchase") == {"ids_seen": 135, "browser_ids_seen": 90, "ids_on_both": 45}


@pytest.mark.usefixtures("few")
def test_once_there_are_few_again_more_are_remembered(pixel: Pixel) -> None:
    flood(pixel, "PageView", range(2_000), Road.BROWSER)
    level = Lane.objects.get().ids_levels[str(class_of("PageView"))]

    for lower in range(level - 1, -1, -1):
        SeenId.objects.all().delete()  # as 48 hours later
        flood(pixel, "PageView", range(10_000 * lower, 10_000 * lower + 40), Road.BROWSER)
        assert Lane.objects.get().ids_levels.get(str(class_of("PageView")), 0) == lower


@pytest.mark.usefixtures("few")
def test_ids_made_up_to_fill_the_memory_are_forgotten(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("events.figures.id_sample", "events.delivery.sampled_ids"):
        monkeypatch.setattr(f"{module}.crc32", lambda text: 0)
    flood(pixel, "PageView", range(900), Road.BROWSER)
    for first in range(1_000, 2_000, 250):
        flood(pixel, "PageView", range(first, first + 250), Road.BROWSER)

    assert not SeenId.objects.exists()


def test_what_old_processes_counted_has_no_ids(pixel: Pixel) -> None:
    came(pixel, Road.SERVER, "1")
    Counter.objects.update(ids_seen=0)
    came(pixel, Road.SERVER, "2")

    assert counted_ids(pixel) == {"ids_seen": 1}
