"""What an answer of the Graph API means for the events that were sent, for the pixel's row and for its lane.

``graph_api`` puts an answer into one of four classes. Whoever needs to know what that means asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from events.delivery import leases
from events.delivery.fates import Fate, failed, published
from events.delivery.graph_api import Accepted, BadToken, GraphAnswer, Problem, Refused, RetryLater


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer."""

    #: What changes in the pixel's row.
    pixel: Mapping[str, Any] = field(default_factory=dict)
    #: What changes in the lane, given the worker's lease of it.
    lane: Callable[[leases.Claim], Mapping[str, Any]] = lambda claim: leases.after_success()
    #: What has become of the event, if it was alone; None where it waits.
    fate: Fate | None = None
    #: At least one of several events is bad, and Meta took none: halves of them are tried.
    blames_one: bool = False
    #: Why everything waits, for the log; empty where publishing goes on.
    wait: str = ""
    #: Meta does not know the token any more. That holds for the token that was sent, and for no newer one.
    rejects_token: bool = False
    #: What Meta says is wrong.
    problem: Problem | None = None

    @property
    def is_accepted(self) -> bool:
        """Meta has the events, or knows the token."""
        return self.fate is not None and not self.blames_one


def verdict_on(answer: GraphAnswer) -> Verdict:
    """The meaning of an answer."""
    match answer:
        case Accepted(trace_id):
            changes = {"api_error_code": None, "bad_token": False}  # nosec B105  # no token
            return Verdict(changes, fate=published(trace_id))
        case Refused(problem):
            return Verdict({"api_error_code": problem.name}, fate=failed(problem), blames_one=True, problem=problem)
        case RetryLater(reason, problem, retry_after):
            silence = "" if problem else reason
            return Verdict(
                {"api_error_code": problem.name} if problem else {},
                lambda claim: leases.after_failure(claim, retry_after, silence),
                wait=reason,
                problem=problem,
            )
        case BadToken(problem):
            return Verdict(
                {"bad_token": True, "api_error_code": problem.name},  # nosec B105  # no token
                lambda claim: leases.on_hold(),
                wait=f"token rejected, code {problem.name}",
                rejects_token=True,
                problem=problem,
            )
