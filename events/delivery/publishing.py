"""Publishing a pixel's waiting events to the Graph API (docs/decisions/0006-event-path.md)."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import TenantStatus
from common.sending import sending
from events.delivery import batches, dropping, lanes, rounds, turns
from events.delivery.attempts import Attempt, attempt, requests_of
from events.delivery.batches import Batch, Event, as_sent
from events.delivery.enrichment import enrich
from events.delivery.graph_api import CLASSES, GraphAnswer, post_events
from events.delivery.settling import settle
from events.delivery.verdicts import verdict_on
from filters.reads import load_filter_set
from pipelines.models import DestinationType
from pixels.models import Pixel

#: What one request to the Graph API may hold (the reference's limit).
REQUEST_EVENTS = 1_000
#: A pixel whose answers take long is read by batches of this part of the usual size.
SLOW_PART = 5
#: As metrics and traces call Meta, which a pixel's events go to.
_META = DestinationType.META_CONVERSIONS_API.value.lower()


class Turn(rounds.Turn[lanes.Claim]):
    """A thread's turn at a pixel."""

    def __init__(self, pixel_pk: int) -> None:
        super().__init__(pixel_pk)
        self.pixel_pk = pixel_pk

    def take(self) -> lanes.Claim | None:
        return lanes.claim(self.pixel_pk)

    def has_work(self) -> bool:
        return bool(lanes.waiting_pixels([self.pixel_pk]))

    def work_off_batch(self) -> bool:
        """By itself, so that a batch is let go of before the next is read: the memory that it leaves is used anew."""
        claim = self.claim
        pixel = Pixel.objects.select_related("tenant").filter(pk=claim.pixel_pk).first()
        if pixel is None:  # and with it its lane
            return False
        now = timezone.now()
        # A deactivated account's events wait, as behind a bad token, until it is active again or they expire.
        publishes = not claim.waits and pixel.tenant.status != TenantStatus.DEACTIVATED
        # Many slow pixels may be in hand at a time: they take less memory each.
        part = SLOW_PART if turns.is_slow(pixel.pk) else 1
        batch = batches.read(pixel, now=now, publishes=publishes, part=part)
        if batch is None:
            lanes.release(claim)
            return False
        dropping.decide(batch, pixel, load_filter_set(pixel), now)
        done = publish(self, pixel, batch) if publishes else Attempt()
        if done.answered:
            claim.failures = 0
        is_last = not batch.has_more or done.must_wait
        settle(claim, pixel, batch, verdict=done.verdict, errors=done.errors, release=is_last)
        return not is_last


def drain(pixel_pk: int) -> bool:
    """Work on the pixel's queue until there is nothing to do; True where the time was up first."""
    with turns.at_work():
        return Turn(pixel_pk).work()


def publish(turn: Turn, pixel: Pixel, batch: Batch) -> Attempt:
    """Send the undecided events, those with the same options together."""
    undecided = batch.undecided()
    if undecided and pixel.tenant.event_enrichment:
        enrich(pixel, undecided)
    requests = requests_of(undecided, REQUEST_EVENTS)
    return attempt(turn, requests, lambda events: verdict_on(_send(pixel, events)), f"pixel {pixel.pixel_id}")


def _send(pixel: Pixel, events: list[Event]) -> GraphAnswer:
    with turns.waiting(pixel.pk), sending("pixel", _META, len(events)) as sent:
        answer = post_events(
            pixel_id=pixel.pixel_id,
            api_version=pixel.api_version,
            access_token=pixel.access_token.reveal(),
            events=as_sent(events),
            options=events[0].row.options,
        )
        sent.answer = CLASSES[type(answer)]
        return answer
