"""What keeps an event from a destination: the account's filters, then the pipeline's, then the destination's; switches;
and its age."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import TenantStatus
from events.delivery.destinations.answers import Accepted, Wait
from events.gateway.delivering import deliver
from events.gateway.lanes import waiting_destinations
from events.gateway.taking_in import take_in
from events.models import DestinationLetter, SourceRow
from pipelines.models import DestinationType, Source
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import (
    again,
    destination,
    is_balanced,
    of_destination,
    of_source,
    pipeline,
    purchase,
    put,
    run,
    source_of,
)
from tests.events.outbox import ids
from tests.factories import DomainFilterFactory, EventFilterFactory, PipelineDestinationFactory, PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return source_of()


def test_the_accounts_filters_hold_for_its_sources(source: Source, receivers: Receivers) -> None:
    EventFilterFactory.create(tenant=source.tenant, event_name="Lead")
    DomainFilterFactory.create(tenant=source.tenant, domain="staging.example.com")
    _, (reached,) = pipeline(source)
    passes = purchase()
    put(source, passes, purchase(event_name="Lead"), purchase(event_source_url="https://staging.example.com/"))

    run(source)

    assert receivers[reached.settings["name"]].ids == ids([passes])
    assert of_source(source) == {"received": 3}
    assert of_destination(reached) == {
        "received": 3, "published": 1, "dropped_by_event_filter": 1, "dropped_by_domain_filter": 1,
    }  # fmt: skip


def test_a_pixels_own_filter_is_none_of_a_source(source: Source, receivers: Receivers) -> None:
    EventFilterFactory.create(pixel=PixelFactory.create(tenant=source.tenant), event_name="Purchase")
    _, (reached,) = pipeline(source)
    put(source, purchase())

    run(source)

    assert of_destination(reached) == {"received": 1, "published": 1}


def test_a_pipelines_filter_keeps_events_from_all_its_destinations(source: Source, receivers: Receivers) -> None:
    _, reached = pipeline(source, destinations=2, blocked_event_types=["Purchase"])
    put(source, purchase(), purchase(event_name="Lead"))

    run(source)

    for each in reached:
        assert of_destination(each) == {"received": 2, "published": 1, "dropped_by_event_filter": 1}


def test_a_destinations_filter_keeps_events_from_that_one(source: Source, receivers: Receivers) -> None:
    made, (strict, other) = pipeline(source, destinations=2)
    made.destination_links.filter(destination=strict).update(blocked_event_types=["Purchase"])
    put(source, purchase())

    run(source)

    assert of_destination(strict) == {"received": 1, "dropped_by_event_filter": 1}
    assert of_destination(other) == {"received": 1, "published": 1}


def test_a_filter_that_was_switched_off_by_name_lets_all_pass(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source, blocked_event_types=["Purchase"], filter_status=False)
    put(source, purchase())

    run(source)

    assert of_destination(reached) == {"received": 1, "published": 1}


def test_an_event_passes_that_one_of_two_pipelines_lets_through(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source, blocked_event_types=["Purchase"])
    other, _ = pipeline(source, destinations=0)
    PipelineDestinationFactory.create(pipeline=other, destination=reached)
    put(source, purchase())

    run(source)

    assert of_destination(reached) == {"received": 1, "published": 1}


def test_inactive_pipelines_and_destinations_drop_what_comes(source: Source, receivers: Receivers) -> None:
    _, (of_inactive,) = pipeline(source, active=False)
    _, (inactive,) = pipeline(source)
    inactive.active = False
    inactive.save()
    put(source, purchase())

    run(source)

    for each in (of_inactive, inactive):
        assert of_destination(each) == {"received": 1, "dropped_publishing_off": 1}
    assert not receivers
    assert not SourceRow.objects.exists()


def test_a_destination_that_is_switched_off_drops_what_waited(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    receivers[reached.settings["name"]] = answering(lambda batch: Wait("rejected", held=True))
    put(source, purchase())
    run(source)
    reached.active = False
    reached.save(update_fields=["active"])

    assert waiting_destinations() == [reached.pk]
    deliver(reached.pk)

    assert of_destination(reached) == {"received": 1, "dropped_publishing_off": 1, "publish_errors": 1}


def test_audience_storage_keeps_nothing(source: Source, receivers: Receivers) -> None:
    made, _ = pipeline(source, destinations=0)
    storage = destination(source.tenant, DestinationType.AUDIENCE_STORAGE)
    PipelineDestinationFactory.create(pipeline=made, destination=storage)
    put(source, purchase())

    run(source)

    assert of_destination(storage) == {"received": 1, "dropped_publishing_off": 1}


def test_events_wait_for_a_destination_that_nobody_has_configured(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    settings, reached.settings = reached.settings, {}
    reached.save()
    event = purchase()
    put(source, event)
    run(source)
    assert not receivers
    assert waiting_destinations() == []

    reached.settings = settings
    reached.save()
    assert waiting_destinations() == [reached.pk]
    deliver(reached.pk)

    assert receivers[reached.settings["name"]].ids == ids([event])


def test_what_waits_for_seven_days_expires(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    receivers[reached.settings["name"]] = answering(lambda batch: Wait("rejected", held=True))
    put(source, purchase(), purchase())
    run(source)
    assert not of_destination(reached).get("received")

    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
        put(source, purchase())
        take_in(source.pk)
        assert waiting_destinations() == [reached.pk]
        deliver(reached.pk)

        assert waiting_destinations() == []
        assert SourceRow.objects.count() == 1, "what is younger waits on"
    assert of_destination(reached) == {"received": 2, "expired": 2, "publish_errors": 1}
    assert is_balanced(reached)


def test_what_waits_apart_expires_as_well(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    events = [purchase(), purchase(), purchase()]
    receivers[reached.settings["name"]] = answering(
        lambda batch: Wait("rejected", held=True) if events[2] in batch else Accepted()
    )
    put(source, *events)
    run(source)

    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
        assert waiting_destinations() == [reached.pk]
        deliver(reached.pk)
    assert of_destination(reached) == {"received": 3, "published": 2, "expired": 1, "publish_errors": 1}
    assert is_balanced(reached)


def test_events_of_a_deactivated_account_wait(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    put(source, purchase())
    source.tenant.status = TenantStatus.DEACTIVATED
    source.tenant.save()
    run(source)
    assert not receivers
    assert waiting_destinations() == []

    source.tenant.status = TenantStatus.ACTIVE
    source.tenant.save()
    assert waiting_destinations() == [reached.pk]
    again(reached)
    assert of_destination(reached) == {"received": 1, "published": 1}


def test_what_cannot_be_read_is_a_failure_of_each_destination(source: Source, receivers: Receivers) -> None:
    _, reached = pipeline(source, destinations=2)
    SourceRow.objects.create(source=source, received_at=timezone.now(), event_count=1, body=b"[{]")

    run(source)

    assert of_source(source) == {"received": 1}
    for each in reached:
        assert of_destination(each) == {"received": 1, "failed": 1}
    assert DestinationLetter.objects.count() == 2


def test_a_source_that_is_gone_leads_nowhere(source: Source, receivers: Receivers) -> None:
    _, (reached,) = pipeline(source)
    events = [purchase(), purchase(), purchase()]
    receivers[reached.settings["name"]] = answering(
        lambda batch: Wait("ReadTimeout") if events[2] in batch else Accepted()
    )
    put(source, *events)
    run(source)

    source.delete()
    again(reached)

    assert of_destination(reached) == {
        "received": 3, "published": 2, "dropped_publishing_off": 1, "publish_errors": 1,
    }  # fmt: skip
    assert is_balanced(reached)
