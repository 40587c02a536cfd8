"""Events whose own identifier was left out at the intake: they get and teach nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.utils import timezone

from events.delivery.batches import OutboxRecord, decode_rows
from events.delivery.enrichment import enrich
from events.delivery.publishing import drain
from events.delivery.services import _waiting_again
from events.models import DeadLetter, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast
from tests.events.sending import purchase, send
from tests.events.test_enrichment import FBP, enriched
from tests.events.test_enrichment_people import ADA, sha256
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    cast.shoes.event_enrichment = True
    cast.shoes.save()
    return PixelFactory.create(tenant=cast.shoes)


@pytest.mark.parametrize(
    "of_bo",
    [
        {"em": hashlib.md5(b"bo@example.com", usedforsecurity=False).hexdigest()},
        {"em": ["bo@", "bo"]},
        {"ph": "phone"},
        {"external_id": {"id": 7}},
        {"ph": "phone", "fn": "Bo"},
    ],
)
def test_an_event_whose_own_identifier_was_unusable_gets_and_teaches_nothing(
    pixel: Pixel, sandbox: Sandbox, of_bo: dict[str, Any]
) -> None:
    """The intake leaves it out: what is left looks like an event of whoever used the browser before."""
    who = {"client_user_agent": "Mozilla/5.0", "fbp": FBP}
    for user_data in (who | {"em": "ada@example.com", "ph": "+1 650 555 1212"}, who | of_bo, who):
        assert send(pixel, purchase(event_id=None, user_data=user_data)).status == 202
    drain(pixel.pk)

    _, second, third = (event["user_data"] for event in sandbox.received[-3:])
    assert not {"em", "ph"} & second.keys()
    assert third == who


def test_what_was_left_out_of_one_event_says_nothing_of_those_beside_it(pixel: Pixel, sandbox: Sandbox) -> None:
    agent = {"client_user_agent": "Mozilla/5.0"}
    users = [{"fbp": FBP, "em": "ada@example.com"}, {"fbp": "fb.1.1.7", "em": "bo"}, {"fbp": FBP}]
    events = [purchase(event_id=str(index), user_data=agent | user) for index, user in enumerate(users)]

    assert send(pixel, *events).status == 202
    drain(pixel.pk)

    assert sandbox.received[-1]["user_data"]["em"] == [sha256("ada@example.com")]


def test_a_placeholder_says_no_more_than_a_field_that_is_not_there(pixel: Pixel, sandbox: Sandbox) -> None:
    who = {"client_user_agent": "Mozilla/5.0", "fbp": FBP}
    for user_data in (who | {"em": "ada@example.com"}, who | {"em": "undefined", "external_id": "guest"}):
        assert send(pixel, purchase(event_id=None, user_data=user_data)).status == 202
    drain(pixel.pk)

    assert sandbox.received[-1]["user_data"]["em"] == [sha256("ada@example.com")]


def test_an_event_that_meta_refused_is_in_doubt_as_before_when_it_is_replayed(pixel: Pixel) -> None:
    user_data = {"client_user_agent": "Mozilla/5.0", "fbp": FBP}
    assert send(pixel, purchase(event_id="7", user_data=user_data | {"em": "bo"})).status == 202
    enriched(pixel, {"fbp": FBP, **ADA})

    (event,) = decode_rows([row_of(OutboxRow.objects.get())])
    letter = DeadLetter(pixel=pixel, event=bytes(event.raw), received_at=timezone.now())
    (again,) = decode_rows([row_of(_waiting_again(letter))])
    enrich(pixel, [again])

    assert json.loads(again.enriched or bytes(again.raw))["user_data"] == user_data


def row_of(row: OutboxRow) -> OutboxRecord:
    return OutboxRecord(1, row.received_at, row.intake, row.counted, row.options, row.event_count, bytes(row.body))
