"""What may become of an event, for good."""

from __future__ import annotations

from typing import NamedTuple

from events.delivery.explanations import UNREADABLE, UNREADABLE_CODE
from events.delivery.graph_api import Problem
from events.models import Delivery
from filters.matching import Kind, Rule


class Fate(NamedTuple):
    """What became of an event for good: the column that counts it, and what the delivery log says."""

    column: str
    outcome: Delivery.Outcome
    detail: str = ""
    code: str = ""
    trace_id: str = ""


RECEIVING_OFF = Fate("dropped_receiving_off", Delivery.Outcome.DROPPED, "Receiving was off")
PUBLISHING_OFF = Fate("dropped_publishing_off", Delivery.Outcome.DROPPED, "Publishing was off")
EXPIRED = Fate("expired", Delivery.Outcome.EXPIRED, "Older than 7 days")


def dropped_by(rule: Rule) -> Fate:
    """A filter said DROP."""
    if rule.kind is Kind.EVENT:
        return Fate("dropped_by_event_filter", Delivery.Outcome.DROPPED, f"Event filter for {rule.name}")
    return Fate("dropped_by_domain_filter", Delivery.Outcome.DROPPED, f"Website filter for {rule.name}")


def published(trace_id: str) -> Fate:
    """Meta has it."""
    return Fate("published", Delivery.Outcome.PUBLISHED, trace_id=trace_id)


def failed(problem: Problem) -> Fate:
    """Meta refused it on its own."""
    return Fate("failed", Delivery.Outcome.FAILED, problem.message, problem.name, problem.trace_id)


UNREAD = Fate("failed", Delivery.Outcome.FAILED, UNREADABLE, UNREADABLE_CODE)
