"""The delivery log tells what became of an event at each destination."""

from __future__ import annotations

import pytest

from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events.delivery.entries import Wanted
from events.delivery.log.packing import read_columns, read_kinds
from events.delivery.reads import list_deliveries
from events.delivery.stories import read_stories
from events.models import DeliveryBatch, DeliveryKey
from pipelines.ids import DESTINATION, id_of
from tests.base import Cast, login
from tests.events.gateway.conftest import Receivers
from tests.events.gateway.stage import pipeline, purchase, put, run, source_of
from tests.factories import PixelFactory, TenantFactory

pytestmark = pytest.mark.django_db


def test_an_event_is_logged_once_for_each_destination(receivers: Receivers) -> None:
    source = source_of()
    made, destinations = pipeline(source, destinations=2)
    made.destination_links.filter(destination=destinations[1]).update(blocked_event_types=["Purchase"])
    put(source, purchase(event_id="order-1"))

    run(source)

    found = {}
    for batch in DeliveryBatch.objects.filter(tenant_id=source.tenant_id, source=source.pk, pixel=0):
        ((kind,), columns) = read_kinds(batch.kinds), read_columns(bytes(batch.body))
        found[batch.destination] = kind.outcome, kind.detail, columns.ids
    assert found == {
        destinations[0].pk: ("PUBLISHED", "", ["order-1"]),
        destinations[1].pk: ("DROPPED", "Destination's filter for Purchase", ["order-1"]),
    }


@pytest.mark.parametrize("removed", ["destination", "account"])
def test_what_is_deleted_is_forgotten(receivers: Receivers, removed: str) -> None:
    source = source_of()
    _, (destination, other) = pipeline(source, destinations=2)
    put(source, purchase())
    run(source)

    if removed == "account":
        delete_tenant(principal=OPERATOR, tenant_id=source.tenant_id)
    else:
        destination.delete()

    left = [] if removed == "account" else [other.pk]
    assert list(DeliveryBatch.objects.values_list("destination", flat=True)) == left
    assert DeliveryKey.objects.count() == len(left)


def test_it_is_found_by_its_id_with_its_fate_at_each_destination(receivers: Receivers) -> None:
    source = source_of()
    made, (first, second) = pipeline(source, destinations=2)
    made.destination_links.filter(destination=second).update(blocked_event_types=["Purchase"])
    put(source, purchase(event_id="order-1"))
    run(source)

    found = list_deliveries(source.tenant, None, Wanted(event_id="order-1")).rows
    told = {(line.pixel_id, line.destination_id, line.outcome.value) for line in found}
    assert told == {
        (source.source_id, id_of(DESTINATION, first.uuid), "PUBLISHED"),
        (source.source_id, id_of(DESTINATION, second.uuid), "DROPPED"),
    }

    (story,) = read_stories(source.tenant, "order-1")
    assert (story.of, story.pixel) == (str(source), None)
    assert {entry.to for entry in story.entries} == {first.name, second.name}


def test_the_log_of_a_pixel_has_no_line_of_a_source(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source)
    pixel = PixelFactory.create(tenant=source.tenant)
    put(source, purchase())
    run(source)

    assert list_deliveries(source.tenant, pixel.pixel_id).rows == []
    assert len(list_deliveries(source.tenant, None).rows) == 1


def test_another_account_finds_nothing_of_it(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source)
    put(source, purchase(event_id="order-1"))
    run(source)

    other = TenantFactory.create()
    assert list_deliveries(other, None).rows == []
    assert read_stories(other, "order-1") == []


def test_the_pages_tell_where_it_was_to_go(receivers: Receivers, cast: Cast) -> None:
    source = source_of(cast.shoes)
    _, (destination,) = pipeline(source)
    put(source, purchase(event_id="order-1"))
    run(source)
    client = login(cast.vic)

    for page in ("/hub/capig/deliveries/", "/hub/capig/deliveries/event/"):
        shown = client.get(page, {"tenant": source.tenant_id, "id": "order-1"}).content.decode()
        assert str(source) in shown
        assert f"→ {destination.name}" in shown
