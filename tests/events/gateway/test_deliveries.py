"""Deliveries of gateway sources: what waits is told for each destination, and lists are narrowed to one."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from common.errors import NotFound
from events.delivery.destinations.answers import Accepted, Wait
from events.delivery.entries import Outcome, Wanted
from events.delivery.log import reading
from events.delivery.reads import list_deliveries
from events.delivery.stories import Sent
from events.delivery.waiting_lists.for_destinations import PLACE_BITS
from events.gateway.delivering import deliver
from events.gateway.taking_in import take_in
from events.models import Road
from pipelines.ids import DESTINATION, id_of, id_of_pixel
from pipelines.models import Destination, Source
from tests.base import Cast
from tests.events import outbox
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import pipeline, purchase, purchases, put, run, source_of
from tests.factories import DeliveryFactory, PixelFactory, TenantFactory
from tests.operations import run as ask
from tests.pages import get, see

pytestmark = pytest.mark.django_db


def id_(destination: Destination) -> str:
    return id_of(DESTINATION, destination.uuid)


def told(source: Source, **wanted: Any) -> list[tuple[str, str, str]]:
    """Of each event its id, where it goes and what became of it."""
    rows = list_deliveries(source.tenant, None, Wanted(**wanted)).rows
    return sorted((row.event_id, row.to, row.outcome.value) for row in rows)


def test_what_has_just_come_waits_for_each_destination(receivers: Receivers) -> None:
    source = source_of()
    _, (first, second) = pipeline(source, destinations=2)
    put(source, purchase(event_id="order-1"))

    waits = sorted((("order-1", first.name, "WAITING"), ("order-1", second.name, "WAITING")))
    assert told(source) == waits
    take_in(source.pk)
    assert told(source) == waits
    deliver(first.pk)
    assert told(source, outcome=Outcome.WAITING) == [("order-1", second.name, "WAITING")]
    assert ("order-1", first.name, "PUBLISHED") in told(source)


def test_what_waits_apart_says_why(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    receiver = receivers[destination.settings["name"]] = answering(
        lambda batch: Accepted() if batch[0]["event_id"] == "first" else Wait("down", "503", "Come back")
    )
    put(source, purchase(event_id="first"), purchase(event_id="also"), purchase(event_id="late"))
    run(source)
    assert receiver.ids == ["first", "also"]

    (entry,) = list_deliveries(source.tenant, None, Wanted(outcome=Outcome.WAITING)).rows
    assert (entry.event_id, entry.code, entry.detail) == ("late", "503", "Come back")
    assert (entry.pixel_id, entry.destination_id) == (source.source_id, id_(destination))


def test_a_source_that_leads_nowhere_has_nothing_waiting(receivers: Receivers) -> None:
    source = source_of()
    put(source, purchase())
    assert told(source) == []


def test_a_list_is_narrowed_to_a_destination_a_source_and_a_road(cast: Cast, receivers: Receivers) -> None:
    source, other = source_of(cast.shoes), source_of(cast.shoes)
    _, (first, second) = pipeline(source, other, destinations=2)
    pixel = PixelFactory.create(tenant=cast.shoes)
    DeliveryFactory.create(pixel=pixel, event_id="of the pixel")
    put(source, purchase(event_id="a"), road=Road.BROWSER)
    put(other, purchase(event_id="b"))
    run(source)

    def found(pixel_id: str | None = None, to: str | None = None, **wanted: Any) -> list[str]:
        page = list_deliveries(cast.shoes, pixel_id, Wanted(**wanted), destination_id=to)
        return sorted(f"{row.event_id} {row.to}".strip() for row in page.rows)

    there, elsewhere = first.name, second.name
    assert found(to=id_(first)) == sorted([f"a {there}", f"b {there}"])
    assert found(source.source_id) == sorted([f"a {there}", f"a {elsewhere}"])
    assert found(other.source_id, id_(second)) == [f"b {elsewhere}"]
    assert found(to=id_(first), road=Road.BROWSER) == [f"a {there}"]
    assert found(to=id_of_pixel(DESTINATION, pixel.pixel_id)) == ["of the pixel"]
    assert found(pixel.pixel_id, id_(first)) == found(source.source_id, id_of_pixel(DESTINATION, pixel.pixel_id)) == []

    def listed(**query: Any) -> list[str]:
        rows = get(cast.vic, "events:deliveries", cast.shoes, **query).context["page"].rows
        return sorted(f"{row.event_id} {row.to}".strip() for row in rows)

    assert listed(destination=id_(first)) == sorted([f"a {there}", f"b {there}"])
    assert listed(pixel=other.source_id, destination=id_(second)) == [f"b {elsewhere}"]
    assert listed(pixel=pixel.pixel_id) == ["of the pixel"]
    assert listed(pixel=pixel.pixel_id, destination=id_(second)) == []
    answer = ask(cast.robot, "deliveries", tenantId=cast.shoes.pk, destinationId=id_(second), outcome="WAITING")
    (edge,) = answer.data["tenantQueries"]["deliveries"]["edges"]
    assert (edge["node"]["pixelId"], edge["node"]["destinationId"]) == (other.source_id, id_(second))


def test_destinations_of_others_are_not_there(cast: Cast, receivers: Receivers) -> None:
    source = source_of(cast.books)
    _, (destination,) = pipeline(source)
    put(source, purchase())
    assert list_deliveries(TenantFactory.create(), None).rows == []
    for unknown in (id_(destination), "x"):
        with pytest.raises(NotFound):
            list_deliveries(cast.shoes, None, destination_id=unknown)
    with pytest.raises(NotFound):
        list_deliveries(cast.shoes, source.source_id)


def test_pages_of_what_waits_follow_each_other(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source, destinations=2)
    put(source, *purchases(2))
    put(source, *purchases(1))
    page = list_deliveries(source.tenant, None, first=1)
    found = page.rows
    while page.has_next:
        page = list_deliveries(source.tenant, None, first=1, after=page.rows[-1].cursor)
        found += page.rows
    assert len({entry.id for entry in found}) == len({entry.cursor for entry in found}) == 6
    assert settings.INTAKE_MAX_EVENTS <= 1 << PLACE_BITS


def test_the_events_own_page_shows_what_waits_and_for_whom(cast: Cast, receivers: Receivers) -> None:
    source = source_of(cast.shoes)
    _, (first, second) = pipeline(source, destinations=2)
    put(source, purchase(event_id="order-1", user_data={"em": ["a" * 64], "client_user_agent": "Mozilla/5.0"}))

    def sent() -> tuple[Sent, str]:
        answer = get(cast.vic, "events:delivery", cast.shoes, id="order-1")
        ((shown,),) = [story.sent for story in answer.context["stories"]]
        return shown, answer.content.decode()

    shown, html = sent()
    assert shown.to == ", ".join(sorted((first.name, second.name)))
    assert shown.identifiers == ["client_user_agent", "em"]
    assert f"/capi/{source.source_id}/events" in shown.curl
    assert f"What waits → {shown.to}" in html
    assert "a" * 64 not in html
    assert "Mozilla" not in html
    assert "Send again" not in html
    take_in(source.pk)
    deliver(first.pk)
    assert sent()[0].to == second.name


def test_the_events_own_page_shows_what_waits_apart(cast: Cast, receivers: Receivers) -> None:
    source = source_of(cast.shoes)
    _, (destination,) = pipeline(source)
    receivers[destination.settings["name"]] = answering(
        lambda batch: Accepted() if batch[0]["event_id"] == "first" else Wait("down", "503", "Come back")
    )
    put(source, purchase(event_id="first"), purchase(event_id="also"), purchase(event_id="late"))
    run(source)

    (story,) = get(cast.vic, "events:delivery", cast.shoes, id="late").context["stories"]
    (shown,) = story.sent
    assert (story.of, shown.to, shown.letter) == (str(source), destination.name, None)
    assert '  "event_id": "late",' in [line.text for line in shown.lines]


def test_of_many_sources_some_are_looked_at_in_as_few_statements(
    receivers: Receivers, django_assert_max_num_queries: Any
) -> None:
    tenant = TenantFactory.create()
    for _ in range(12):
        source = source_of(tenant)
        pipeline(source)
        put(source, purchase())
    with django_assert_max_num_queries(5):
        assert len(list_deliveries(tenant, None).rows) == 10


def test_a_search_that_stops_goes_on_with_the_next_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("FIRST_LOOK", 2), ("LATER_LOOKS", 2), ("MOST_LOOKED_AT", 4)):
        monkeypatch.setattr(reading, name, number)
    pixel = PixelFactory.create(tenant=cast.shoes)
    wanted = Wanted(event_name="Lead")
    DeliveryFactory.create(pixel=pixel, event_name="Lead", event_id="rare")
    for number in range(6):
        DeliveryFactory.create(pixel=pixel, event_id=f"common-{number}")

    page = list_deliveries(cast.shoes, pixel.pixel_id, wanted)
    assert (page.rows, page.has_next) == ([], True)
    page = list_deliveries(cast.shoes, pixel.pixel_id, wanted, after=page.stopped_at)
    assert [row.event_id for row in page.rows] == ["rare"]
    assert not page.stopped_at or not list_deliveries(cast.shoes, pixel.pixel_id, wanted, after=page.stopped_at).rows

    shown = see(cast.vic, "events:deliveries", cast.shoes, event="Lead")
    assert "Nothing in the part of the log that was looked at is like that; the next page goes on from there." in shown
    answer = ask(cast.robot, "deliveries", tenantId=cast.shoes.pk, eventName="Lead").data["tenantQueries"]["deliveries"]
    assert (answer["edges"], answer["pageInfo"]["hasNextPage"]) == ([], True)
    after = answer["pageInfo"]["endCursor"]
    further = ask(cast.robot, "deliveries", tenantId=cast.shoes.pk, eventName="Lead", after=after)
    (edge,) = further.data["tenantQueries"]["deliveries"]["edges"]
    assert edge["node"]["eventId"] == "rare"


def test_what_is_older_than_where_the_search_stopped_comes_later(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("FIRST_LOOK", 1), ("LATER_LOOKS", 1), ("MOST_LOOKED_AT", 2)):
        monkeypatch.setattr(reading, name, number)
    pixel = PixelFactory.create(tenant=cast.shoes)
    outbox.put(pixel, outbox.purchase(event_id="waits"))
    for number in range(3):
        DeliveryFactory.create(pixel=pixel, event_id=f"later-{number}")
    wanted, found, after = Wanted(event_name="Purchase"), [], None
    while True:
        page = list_deliveries(cast.shoes, pixel.pixel_id, wanted, after=after)
        found += [row.event_id for row in page.rows]
        after = page.stopped_at
        if not page.has_next:
            break
    assert found == ["later-2", "later-1", "later-0", "waits"]
