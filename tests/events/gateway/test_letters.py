"""What a destination refused can be sent again or discarded; and it can be tried at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.principals import OPERATOR, Principal, principal_of_user
from common.errors import InvalidInput, NotAuthorized, NotFound
from events.delivery.destinations.answers import Accepted, Refused, Wait
from events.gateway import services
from events.gateway.delivering import deliver
from events.models import DestinationLetter
from pipelines.ids import DESTINATION, PIPELINE, id_of, id_of_pixel
from pipelines.models import Destination
from tests.base import Cast, snapshot
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import (
    apart,
    is_balanced,
    lane,
    of_destination,
    pipeline,
    purchases,
    put,
    run,
    source_of,
)
from tests.events.outbox import ids
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

Events = list[dict[str, Any]]


@pytest.fixture
def events() -> Events:
    return purchases(3)


@pytest.fixture
def destination(cast: Cast, receivers: Receivers, events: Events) -> Destination:
    """It has refused two events of three, and takes them now."""
    source = source_of(cast.shoes)
    _, (destination,) = pipeline(source)
    receiver = receivers[destination.settings["name"]] = answering(
        lambda batch: Accepted() if batch == events[:1] else Refused("422", "No")
    )
    put(source, *events)
    run(source)
    assert of_destination(destination)["failed"] == 2
    receiver.answer = lambda batch: Accepted()
    return destination


def named(destination: Destination, **values: Any) -> dict[str, Any]:
    return {"principal": OPERATOR, "tenant_id": destination.tenant_id, **values}


def id_(destination: Destination) -> str:
    return id_of(DESTINATION, destination.uuid)


def test_one_is_sent_again(destination: Destination, receivers: Receivers, events: Events) -> None:
    letter = DestinationLetter.objects.get(event_id=events[2]["event_id"])

    services.replay_letter(**named(destination, dead_letter_id=str(letter.pk)))
    assert is_balanced(destination)
    assert apart(destination) == 1
    deliver(destination.pk)

    assert receivers[destination.settings["name"]].ids == ids([events[0], events[2]])
    counted = of_destination(destination)
    assert (counted["received"], counted["published"], counted["failed"]) == (3, 2, 1)
    assert is_balanced(destination)
    assert AuditEntry.objects.get(act=services.REPLAY.name).subject == str(letter)


def test_all_are_sent_again_the_oldest_first(destination: Destination, receivers: Receivers, events: Events) -> None:
    assert services.replay_letters(**named(destination, destination_id=id_(destination))) == 2
    deliver(destination.pk)

    assert receivers[destination.settings["name"]].ids == ids(events)
    assert of_destination(destination)["published"] == 3
    assert "failed" not in of_destination(destination)
    assert not DestinationLetter.objects.exists()
    assert services.replay_letters(**named(destination, destination_id=id_(destination))) == 0


def test_what_is_older_than_seven_days_is_not(destination: Destination) -> None:
    letter = DestinationLetter.objects.all()[0]
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        with pytest.raises(InvalidInput, match="older than 7 days"):
            services.replay_letter(**named(destination, dead_letter_id=str(letter.pk)))
        assert services.replay_letters(**named(destination, destination_id=id_(destination))) == 0
    assert DestinationLetter.objects.count() == 2


def test_what_is_discarded_stays_counted_as_failed(destination: Destination) -> None:
    letter = DestinationLetter.objects.all()[0]
    services.discard_letter(**named(destination, dead_letter_id=str(letter.pk)))
    assert DestinationLetter.objects.count() == 1
    assert services.discard_letters(**named(destination, destination_id=id_(destination))) == 1
    assert of_destination(destination)["failed"] == 2
    assert is_balanced(destination)


def test_a_destination_is_tried_at_once(destination: Destination, receivers: Receivers) -> None:
    receiver = receivers[destination.settings["name"]]
    receiver.answer = lambda batch: Wait("rejected", "401", "Who?", held=True)
    services.replay_letters(**named(destination, destination_id=id_(destination)))
    deliver(destination.pk)
    assert lane(destination).get().held

    receiver.answer = lambda batch: Accepted()
    services.retry_destination(**named(destination, destination_id=id_(destination)))
    deliver(destination.pk)
    assert of_destination(destination)["published"] == 3


@pytest.mark.parametrize("who", ["vic", "olaf", "bea"])
def test_who_may_not_change_the_account_changes_nothing(destination: Destination, cast: Cast, who: str) -> None:
    principal: Principal = principal_of_user(getattr(cast, who))
    letter = DestinationLetter.objects.all()[0]
    before = snapshot()
    of_letter = named(destination, dead_letter_id=str(letter.pk)) | {"principal": principal}
    of_destination = named(destination, destination_id=id_(destination)) | {"principal": principal}
    for act in (services.replay_letter, services.discard_letter):
        with pytest.raises(NotAuthorized):
            act(**of_letter)
    for act_on_all in (services.replay_letters, services.discard_letters, services.retry_destination):
        with pytest.raises(NotAuthorized):
            act_on_all(**of_destination)
    assert snapshot() == before


@pytest.mark.parametrize("id", ["", "x", "0", "9" * 30, "１"])
def test_unknown_letters_are_not_there(destination: Destination, id: str) -> None:
    before = snapshot()
    for act in (services.replay_letter, services.discard_letter):
        with pytest.raises(NotFound):
            act(**named(destination, dead_letter_id=id))
    assert snapshot() == before


def test_another_accounts_are_not_there(destination: Destination, cast: Cast) -> None:
    letter = DestinationLetter.objects.all()[0]
    elsewhere: dict[str, Any] = {"principal": OPERATOR, "tenant_id": cast.books.pk}
    with pytest.raises(NotFound):
        services.replay_letter(**elsewhere, dead_letter_id=str(letter.pk))
    with pytest.raises(NotFound):
        services.replay_letters(**elsewhere, destination_id=id_(destination))


def test_a_pixels_destination_has_a_queue_of_its_pixel(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    for prefix, error in ((DESTINATION, InvalidInput), (PIPELINE, NotFound)):
        unusable = id_of_pixel(prefix, pixel.pixel_id)
        with pytest.raises(error):
            services.retry_destination(principal=OPERATOR, tenant_id=cast.shoes.pk, destination_id=unusable)
