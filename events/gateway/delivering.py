"""Sending what waits for a destination, in whatever way its kind is sent to."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import TenantStatus
from common.sending import AnswerClass, sending
from events.delivery import leases, rounds, turns
from events.delivery.attempts import Attempt, attempt, requests_of
from events.delivery.batches import Event
from events.delivery.destinations.answers import Accepted, Answer, Refused, Sender, Wait
from events.delivery.destinations.kinds import COMPLETED, KINDS
from events.delivery.enrichment import enrich
from events.delivery.fates import Fate
from events.delivery.publishing import SLOW_PART
from events.delivery.verdicts import Verdict
from events.gateway import lanes
from events.gateway.cursors import clear
from events.gateway.dropping import decide
from events.gateway.reading import Part, read
from events.gateway.settling import settle
from events.models import EVENT_MAX_AGE, Delivery
from pipelines.models import Destination
from pipelines.services.configuration import secrets_of

_NOT_CONFIGURED = Wait("not configured", "not_configured", "Nobody has said yet where to send to.", held=True)


class Turn(rounds.Turn[lanes.Claim]):
    """A thread's turn at a destination."""

    def __init__(self, destination_pk: int) -> None:
        super().__init__(("destination", destination_pk))
        self.destination_pk = destination_pk

    def take(self) -> lanes.Claim | None:
        return lanes.claim(self.destination_pk)

    def has_work(self) -> bool:
        return bool(lanes.waiting_destinations([self.destination_pk]))

    def work_off_batch(self) -> bool:
        destination = Destination.objects.select_related("tenant").filter(pk=self.destination_pk).first()
        if destination is None:  # and with it its lane
            return False
        now = timezone.now()
        is_open = not self.claim.waits and destination.tenant.status != TenantStatus.DEACTIVATED
        # What waits stays where it is, and expires; a destination that is switched off has its events dropped.
        until = None if is_open or not destination.active else now - EVENT_MAX_AGE
        part = read(destination.pk, until, part=SLOW_PART if turns.is_slow(self.key) else 1)
        if part is None:
            leases.release(self.claim)
            return False
        decide(part, destination, now)
        done = self._send(destination, part) if is_open else Attempt()
        if done.answered:
            self.claim.failures = 0
        settle(self.claim, destination, part, done)
        if not part.apart and part.source_pk is not None:
            clear(part.source_pk)
        return not done.must_wait

    def _send(self, destination: Destination, part: Part) -> Attempt:
        events = part.batch.undecided()
        if not events:
            return Attempt()
        if destination.type in COMPLETED and destination.tenant.event_enrichment:
            enrich(destination, events)
        sender = _sender(destination)

        def send(some: list[Event]) -> Verdict:
            if sender is None:
                return verdict_of(_NOT_CONFIGURED)
            with turns.waiting(self.key), sending("destination", destination.type.lower(), len(some)) as sent:
                answer = sender.send(list(map(_as_json, some)), some[0].row.options)
                sent.answer = class_of(answer)
                return verdict_of(answer)

        most = sender.most_events if sender else len(events)
        return attempt(self, requests_of(events, most), send, f"destination {destination.pk}")


def _sender(destination: Destination) -> Sender | None:
    kind = KINDS.get(destination.type)
    return kind(destination.settings, secrets_of(destination)) if kind else None


def _as_json(event: Event) -> bytes:
    """As it is completed or stored; of a row of its own, as most have, without taking that apart."""
    if event.enriched:
        return event.enriched
    return event.row.body.strip()[1:-1] if event.row.event_count == 1 else bytes(event.raw)


def class_of(answer: Answer) -> AnswerClass:
    """The answer, as metrics and traces tell of it."""
    match answer:
        case Accepted():
            return "accepted"
        case Refused():
            return "refused"
        case Wait(held=held):
            return "held" if held else "retry"


def verdict_of(answer: Answer) -> Verdict:
    """What an answer means for the events that were sent, and for the lane."""
    match answer:
        case Accepted(trace_id):
            fate = Fate("published", Delivery.Outcome.PUBLISHED, trace_id=trace_id)
            return Verdict(lane=lambda claim: {**leases.after_success(), "code": "", "message": ""}, fate=fate)
        case Refused(code, message, trace_id):
            fate = Fate("failed", Delivery.Outcome.FAILED, message, code, trace_id)
            told = {**leases.after_success(), "code": code, "message": message}
            return Verdict(lane=lambda claim: told, fate=fate, blames_one=True)
        case Wait(reason, code, message, _, True):
            held = {**leases.on_hold(), "code": code, "message": message}
            return Verdict(lane=lambda claim: held, wait=reason, rejects_token=True)
        case Wait(reason, code, message, retry_after, _):
            silence = "" if code or message else reason

            def back_off(claim: leases.Claim) -> dict[str, Any]:
                return {**leases.after_failure(claim, retry_after, silence), "code": code, "message": message}

            return Verdict(lane=back_off, wait=reason)


def deliver(destination_pk: int) -> bool:
    """Work on the destination's queue until there is nothing to do; True where the time was up first."""
    with turns.at_work():
        return Turn(destination_pk).work()
