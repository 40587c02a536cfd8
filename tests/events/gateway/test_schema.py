"""By GraphQL: what passed at gateway sources and destinations, what these refused, and what is done about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from events.delivery.destinations.answers import Accepted, Refused
from events.gateway import services
from events.gateway.delivering import deliver
from events.models import OTHER, Counter, Road, SourceCounter, SourceLabel
from pipelines.ids import DESTINATION, id_of, id_of_pixel
from pipelines.models import Destination, Source
from tests.base import Cast, graphql
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import lane, of_destination, pipeline, purchase, put, run, source_of
from tests.factories import PixelFactory
from tests.operations import run as ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(cast: Cast) -> Source:
    return source_of(cast.shoes)


@pytest.fixture
def destination(source: Source, receivers: Receivers) -> Destination:
    """It takes what is good, of three events two; another is refused all."""
    made, (destination, other) = pipeline(source, destinations=2)
    made.destination_links.filter(destination=other).update(blocked_event_types=["Purchase"])
    receivers[destination.settings["name"]] = answering(
        lambda batch: Refused("422", "No") if any(e["event_id"] == "bad" for e in batch) else Accepted()
    )
    put(source, *(purchase(event_id=each) for each in ("good", "bad", "fine")))
    run(source)
    return destination


def id_(destination: Destination) -> str:
    return id_of(DESTINATION, destination.uuid)


def told(cast: Cast, operation: str, **variables: Any) -> Any:
    answer = ask(cast.robot, operation, tenantId=cast.shoes.pk, **variables)
    assert not answer.errors, answer.body
    return next(iter(answer.data.values()))[operation]


def test_an_event_is_counted_once_at_its_source_and_once_at_each_destination(
    cast: Cast, source: Source, destination: Destination
) -> None:
    (of_source,) = told(cast, "dataSourceFigures")
    assert (of_source["dataSourceId"], of_source["receivedCount"]) == (source.source_id, 3)

    first, second = told(cast, "destinationFigures")
    assert first["destinationId"] == id_(destination)
    assert (first["receivedCount"], first["publishedCount"], first["failedCount"]) == (3, 2, 1)
    assert first["byRoad"][0] == {
        "road": "SERVER", "receivedCount": 3, "publishedCount": 2, "publishSuccessRate": pytest.approx(2 / 3)
    }  # fmt: skip
    assert (second["receivedCount"], second["publishedCount"], second["droppedByEventFilterCount"]) == (3, 0, 3)
    assert (first["held"], first["hasWaiting"], first["lastPublished"] is None) == (False, False, False)

    assert told(cast, "destinationFigures", destinationIds=[id_(destination)]) == [first]


def test_what_came_by_name_is_told_with_what_it_lacks(cast: Cast, source: Source) -> None:
    pipeline(source)
    put(source, purchase(custom_data={"value": 1}), road=Road.BROWSER)
    put(source, *[purchase(event_name="Lead", user_data={"em": ["a" * 64]}) for _ in range(2)])
    put(source_of(cast.shoes), purchase(event_name="Search"))
    run(source)

    lead, bought = told(cast, "dataSourceActivity", dataSourceId=source.source_id)
    counted = {name: count for name, count in bought.items() if count}
    assert (lead["name"], lead["receivedCount"], lead["lacksContactCount"]) == ("Lead", 2, 0)
    assert (counted.pop("name"), counted.pop("lacksIpAddressCount", 1)) == ("Purchase", 1)
    assert set(counted) == {
        *("receivedCount", "browserReceivedCount", "lacksContactCount", "lacksBrowserIdCount", "lacksValueCount")
    }


def test_names_beyond_those_that_are_counted_apart_are_told_as_other(cast: Cast, source: Source) -> None:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    SourceCounter.objects.create(
        source=source,
        start=minute,
        span=Counter.Span.MINUTE,
        dimension=Counter.Dimension.EVENT_NAME,
        label=OTHER,
        received=7,
    )

    (other,) = told(cast, "dataSourceActivity", dataSourceId=source.source_id, timeWindowMin=5)
    assert (other["name"], other["receivedCount"]) == ("Other", 7)
    assert told(cast, "dataSourceActivity", dataSourceId=source.source_id, timeWindowMin=1) == []
    assert ask(
        cast.robot, "dataSourceActivity", tenantId=cast.shoes.pk, dataSourceId=source.source_id, timeWindowMin=0
    ).refused(400)


def test_ids_that_are_no_gateways_are_not_there(cast: Cast, destination: Destination) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    of_pixel = id_of_pixel(DESTINATION, pixel.pixel_id)
    for operation, ids in (
        ("dataSourceFigures", {"dataSourceIds": [pixel.pixel_id]}),
        ("dataSourceActivity", {"dataSourceId": source_of(cast.books).source_id}),
        ("destinationFigures", {"destinationIds": ["x"]}),
        ("destinationFigures", {"destinationIds": [id_(destination), of_pixel]}),
    ):
        assert ask(cast.robot, operation, tenantId=cast.shoes.pk, **ids).refused(404)
    assert ask(cast.robot, "dataSourceActivity", tenantId=cast.shoes.pk, dataSourceId=pixel.pixel_id).refused(400)
    assert ask(cast.robot, "destinationDeadLetters", tenantId=cast.shoes.pk, destinationId=of_pixel).refused(400)
    assert ask(cast.robot, "holdDestination", tenantId=cast.books.pk, destinationId=id_(destination)).refused(401)


def test_what_a_destination_refused_is_told_and_sent_again(
    cast: Cast, source: Source, destination: Destination, receivers: Receivers
) -> None:
    (edge,) = told(cast, "destinationDeadLetters", destinationId=id_(destination))["edges"]
    letter = edge["node"]
    assert (letter["eventId"], letter["code"], letter["message"]) == ("bad", "422", "No")
    assert letter["dataSourceId"] == source.source_id
    assert "Mozilla" not in letter["event"]
    assert told(cast, "destinationDeadLetters", destinationId=id_(destination), after=edge["cursor"])["edges"] == []
    assert told(cast, "destinationDeadLetters", destinationId=id_(destination), road="BROWSER")["edges"] == []

    receivers[destination.settings["name"]].answer = lambda batch: Accepted()
    assert told(cast, "replayDestinationDeadLetter", id=letter["id"]) == {"replayedCount": 1}
    deliver(destination.pk)
    assert of_destination(destination)["published"] == 3
    assert told(cast, "replayDestinationDeadLetters", destinationId=id_(destination)) == {"replayedCount": 0}


def test_a_held_destination_waits_until_it_is_resumed(
    cast: Cast, source: Source, destination: Destination, receivers: Receivers
) -> None:
    assert told(cast, "holdDestination", destinationId=id_(destination)) == {"held": True}
    put(source, purchase(event_id="later"))
    run(source)
    assert "later" not in receivers[destination.settings["name"]].ids
    (figures,) = told(cast, "destinationFigures", destinationIds=[id_(destination)])
    assert (figures["held"], figures["code"], figures["hasWaiting"]) == (True, "on_hold", True)
    (edge,) = told(cast, "deliveries", destinationId=id_(destination), outcome="WAITING")["edges"]
    assert (edge["node"]["code"], edge["node"]["explanation"]) == ("on_hold", None)

    assert told(cast, "resumeDestination", destinationId=id_(destination)) == {"held": False}
    deliver(destination.pk)
    assert receivers[destination.settings["name"]].ids[-1] == "later"
    assert lane(destination).get().code != "on_hold"
    acts = set(AuditEntry.objects.filter(tenant_id=cast.shoes.pk).values_list("act", flat=True))
    assert {services.HOLD.name, services.RETRY.name} <= acts


def test_lists_are_paid_for(cast: Cast, source: Source, destination: Destination, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 8
    for field in ("dataSourceFigures { dataSourceId }", "destinationFigures { destinationId }"):
        many = " ".join(f"a{number}: {field}" for number in range(9))
        document = f'{{ tenantQueries(tenantId: "{cast.shoes.pk}") {{ {many} }} }}'
        assert graphql(cast.robot, "/capig/graphql/", document).refused(400)


def test_counters_are_paid_for_before_they_are_added_up(cast: Cast, source: Source, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 8
    today, dimension = timezone.now().date(), Counter.Dimension.EVENT_NAME
    SourceLabel.objects.bulk_create(
        SourceLabel(source=source, dimension=dimension, label=f"Name {n}", last_seen=today) for n in range(8)
    )
    field = f'dataSourceActivity(dataSourceId: "{source.source_id}", timeWindowMin: 43200) {{ name }}'
    for times, is_refused in ((1, False), (3, True)):
        many = " ".join(f"a{number}: {field}" for number in range(times))
        document = f'{{ tenantQueries(tenantId: "{cast.shoes.pk}") {{ {many} }} }}'
        assert graphql(cast.robot, "/capig/graphql/", document).refused(400) is is_refused
