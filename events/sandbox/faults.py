"""How the sandbox can be told to fail."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.sandbox.rules import GraphError

#: What Meta says with some codes; other codes get a sentence that names the code.
MESSAGES = {
    1: "An unknown error occurred",
    2: "An unexpected error has occurred. Please retry your request later.",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    17: "User request limit reached",
    100: "Invalid parameter",
    102: "Session key invalid or no longer valid",
    190: "Error validating access token: The session has been invalidated.",
    200: "Permissions error",
    341: "Application limit reached",
    368: "The action attempted has been deemed abusive or is otherwise disallowed",
}


#: The edge that takes events.
EVENTS = "events"


@dataclass(slots=True)
class Fault:
    """One way to fail: at one edge, for one pixel or all, some times or until it is removed, always or now and then.

    ``delay_seconds`` alone makes an answer slow and leaves it right. ``accept`` takes the events before it fails, as
    when an answer is lost on its way. ``close`` ends the connection without an answer.
    """

    edge: str = EVENTS
    pixel_id: str | None = None
    error: GraphError | None = None
    close: bool = False
    accept: bool = False
    delay_seconds: float = 0.0
    times: int | None = None
    probability: float = 1.0


class Faults:
    """The faults that are in force; the first that fits a request is taken."""

    def __init__(self, seed: int) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311  # nosec B311  # repeatable on purpose
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Fail no more."""
        with self._lock:
            self._faults.clear()

    def next_for(self, pixel_id: str, edge: str = EVENTS) -> Fault | None:
        """The fault that this request meets, if any; one of its times is used up."""
        with self._lock:
            for fault in self._faults:
                if fault.edge != edge or fault.pixel_id not in (None, pixel_id):
                    continue
                if self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None


def fault_from_json(body: Mapping[str, Any]) -> Fault:
    """A fault as ``POST /_control`` takes it; ``{}`` there ends all faults.

    Raises AttributeError, KeyError, TypeError or ValueError for anything else.
    """
    unknown = set(body) - {"edge", "pixel_id", "fail", "times", "delay_seconds", "close", "accept", "probability"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}.")
    if not (body.get("fail") or body.get("close") or body.get("delay_seconds")):
        raise ValueError("it needs fail, close or delay_seconds.")
    pixel_id, times = body.get("pixel_id"), body.get("times")
    return Fault(
        edge=str(body.get("edge", EVENTS)),
        pixel_id=None if pixel_id is None else str(pixel_id),
        error=error_from_json(body["fail"]) if body.get("fail") else None,
        close=bool(body.get("close", False)),
        accept=bool(body.get("accept", False)),
        delay_seconds=float(body.get("delay_seconds", 0)),
        times=None if times is None else int(times),
        probability=float(body.get("probability", 1)),
    )


def error_from_json(fail: Mapping[str, Any]) -> GraphError:
    """An error from its ``code``, and where they are given ``subcode``, ``message`` and ``http_status``."""
    code, subcode = int(fail["code"]), fail.get("subcode")
    return GraphError(
        code,
        str(fail.get("message") or MESSAGES.get(code, f"(#{code}) The request was refused.")),
        subcode=None if subcode is None else int(subcode),
        http_status=int(fail.get("http_status") or (500 if code in (1, 2) else 400)),
    )
