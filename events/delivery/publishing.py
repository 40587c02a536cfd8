"""Publishing a pixel's waiting events to the Graph API (docs/decisions/0006-event-path.md)."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event as Flag

from django.db import DatabaseError
from django.utils import timezone

from accounts.models import TenantStatus
from events.delivery import batches, lanes, turns
from events.delivery.batches import Batch, Event, as_sent
from events.delivery.enrichment import enrich
from events.delivery.graph_api import GraphAnswer, post_events
from events.delivery.log import DeliveryLog
from events.delivery.settling import settle
from events.delivery.verdicts import Verdict, verdict_on
from filters.reads import load_filter_set
from pixels.models import Pixel

logger = logging.getLogger(__name__)

#: What one request to the Graph API may hold (the reference's limit).
REQUEST_EVENTS = 1_000
#: After this long another pixel gets the worker's thread; a pixel with more to do queues up behind the others.
TIME_BOX_SECONDS = 20.0
#: Where a process has several pixels in hand, each queues up after this long: another worker may have none.
SHARED_SECONDS = 1.0
#: A pixel whose answers take long is read by batches of this part of the usual size.
SLOW_PART = 5

#: Set when the worker was asked to stop: what is under way is finished and settled, nothing new begun.
stopping = Flag()

#: The pixels whose lanes this process has.
_in_hand: set[int] = set()


@dataclass(slots=True)
class Turn:
    """A thread's turn at a pixel: when it began, the lines that it has for the log, and its lease of the lane."""

    log: DeliveryLog
    begun: float = field(default_factory=time.monotonic)
    claim: lanes.Claim = field(init=False)

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self.begun

    @property
    def is_over(self) -> bool:
        """Shall others have the thread?"""
        return stopping.is_set() or self.seconds > TIME_BOX_SECONDS


def drain(pixel_pk: int) -> bool:
    """Work on the pixel's queue until there is nothing to do; True where the time was up first.

    Does nothing where another worker has the lane. A wake-up that comes while this one has it is lost, therefore the
    last look is taken after the release.
    """
    with turns.at_work():
        turn = Turn(DeliveryLog(pixel_pk))
        try:
            return _drain(pixel_pk, turn)
        finally:
            turn.log.write()


def _drain(pixel_pk: int, turn: Turn) -> bool:
    while not turn.is_over:
        claim = lanes.claim(pixel_pk) if turns.may_begin(pixel_pk, _in_hand) else None
        if claim is None:
            return False
        turn.claim = claim
        _in_hand.add(pixel_pk)
        try:
            has_passed_on = _work(turn)
        except lanes.LeaseLost:
            return False
        except Exception:
            # The transaction that failed has changed nothing. Whatever it is, it shall not come back at once.
            with suppress(DatabaseError, lanes.LeaseLost):  # else the lease runs out by itself
                lanes.abandon(claim)
            raise
        finally:
            _in_hand.discard(pixel_pk)
        if has_passed_on or not lanes.waiting_pixels([pixel_pk]):
            return has_passed_on
    return True


def _work(turn: Turn) -> bool:
    """Batch by batch, until the lane is released; True where that was for others to go on.

    Whose turn it is is asked after a batch: however long it took to get the lane, each turn gets further.
    """
    while _work_off_batch(turn):
        has_others = len(_in_hand) > 1 and turn.seconds > SHARED_SECONDS
        if has_others or turn.is_over:
            lanes.release(turn.claim)
            return True
    return False


def _work_off_batch(turn: Turn) -> bool:
    """Read, decide, publish, settle; False where it was the last, and the lane is released.

    By itself, so that a batch is let go of before the next is read: the memory that it leaves is used anew.
    """
    claim = turn.claim
    pixel = Pixel.objects.select_related("tenant").filter(pk=claim.pixel_pk).first()
    if pixel is None:  # and with it its lane
        return False
    now = timezone.now()
    # A deactivated account's events wait, as behind a bad token, until it is active again or they expire.
    publishes = not claim.waits and pixel.tenant.status != TenantStatus.DEACTIVATED
    # Many slow pixels may be in hand at a time: they take less memory each.
    batch = batches.read(pixel, now=now, publishes=publishes, part=SLOW_PART if turns.is_slow(pixel.pk) else 1)
    if batch is None:
        lanes.release(claim)
        return False
    batches.decide(batch, pixel, load_filter_set(pixel), now)
    attempt = publish(turn, pixel, batch) if publishes else Attempt()
    if attempt.answered:
        claim.failures = 0
    is_last = not batch.has_more or attempt.must_wait
    settle(claim, pixel, batch, verdict=attempt.verdict, errors=attempt.errors, release=is_last)
    turn.log.add(batch)
    turn.log.write_if_due()
    return not is_last


@dataclass(slots=True)
class Attempt:
    """How publishing a batch went; what became of each event stands in the event."""

    #: On Meta's last answer.
    verdict: Verdict | None = None
    #: Requests that Meta did not accept.
    errors: int = 0
    #: Did Meta decide about any events?
    answered: bool = False

    @property
    def must_wait(self) -> bool:
        """Can nothing more be published now?"""
        return self.verdict is not None and bool(self.verdict.wait)


def publish(turn: Turn, pixel: Pixel, batch: Batch) -> Attempt:
    """Send the undecided events, those with the same options together.

    A refused request is halved until the bad event stands alone. A failure ends the attempt: what has no fate by then
    waits. So does the rest once time is up and the batch has got somewhere: each attempt at it gets further.
    """
    attempt = Attempt()
    queue = _requests(pixel, batch)
    while queue:
        events = queue.pop()
        if attempt.verdict is not None:
            if attempt.answered and turn.is_over:
                break
            lanes.renew(turn.claim)
            turn.log.write_if_due()
        attempt.verdict = verdict = verdict_on(_send(pixel, events))
        attempt.errors += not verdict.is_accepted
        if verdict.wait:
            logger.warning("Publishing for pixel %s waits: %s.", pixel.pixel_id, verdict.wait)
            break
        if verdict.blames_one and len(events) > 1:
            middle = len(events) // 2
            queue += (events[middle:], events[:middle])
            continue
        attempt.answered = True
        for event in events:
            event.fate = verdict.fate
    return attempt


def _requests(pixel: Pixel, batch: Batch) -> list[list[Event]]:
    """The undecided events as requests, the first one last: one or more for each of the options."""
    undecided = batch.undecided()
    if undecided and pixel.tenant.event_enrichment:
        enrich(pixel, undecided)
    by_options: dict[str, list[Event]] = {}
    for event in undecided:
        by_options.setdefault(event.row.options, []).append(event)
    requests = [
        events[first : first + REQUEST_EVENTS]
        for events in by_options.values()
        for first in range(0, len(events), REQUEST_EVENTS)
    ]
    return requests[::-1]


def _send(pixel: Pixel, events: list[Event]) -> GraphAnswer:
    with turns.waiting(pixel.pk):
        return post_events(
            pixel_id=pixel.pixel_id,
            api_version=pixel.api_version,
            access_token=pixel.access_token.reveal(),
            events=as_sent(events),
            options=events[0].row.options,
        )
