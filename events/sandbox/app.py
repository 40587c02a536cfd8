"""The sandbox: what it takes, keeps and answers.

    with serve(sandbox) as url:                       # a real server on a free port, until the block ends
        sandbox.fail(code=2, times=3, pixel_id="17")  # then all is well again
        sandbox.received                              # the events that were taken, without duplicates

Over HTTP: ``POST /<version>/<pixel id>/events`` as the Graph API takes it, JSON or form, and ``GET /<version>/me``;
``GET /_events?pixel_id=``,
``DELETE /_events`` and ``POST /_control`` (events/sandbox/faults.py tells its fields) for people and scripts.
What gateways are registered is in ``registrations`` (events/sandbox/registrations.py).
Everything is in memory and bounded: the newest 100,000 events, ids and 10,000 requests are kept.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import orjson
from cachetools import FIFOCache

from events.sandbox import rules
from events.sandbox.faults import EVENTS, Fault, Faults, error_from_json
from events.sandbox.registrations import Registrations
from events.sandbox.rules import GraphError

KEPT_EVENTS = 100_000
KEPT_REQUESTS = 10_000
DUPLICATE_SECONDS = 48 * 3_600


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the events edge, and what it was answered: code 0 is success, -1 a closed connection."""

    pixel_id: str
    version: str
    event_count: int
    access_token: str = field(repr=False)
    options: dict[str, Any]
    code: int
    at: float


class ReceivedEvent(NamedTuple):
    """An event that was taken, when it came for the first time."""

    pixel_id: str
    event: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class SandboxResponse:
    """An HTTP answer; no body means that the connection is closed instead."""

    status: int
    body: dict[str, Any] | None


class Sandbox:
    """A stand-in for the Graph API's events edge, with a memory and programmable failures."""

    def __init__(self, *, seed: int = 0) -> None:
        self.faults = Faults(seed)
        self.registrations = Registrations(self.faults)
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.received_count = 0
        self.duplicates = 0
        self.received_by_pixel: Counter[str] = Counter()
        self._arrivals: deque[ReceivedEvent] = deque(maxlen=KEPT_EVENTS)
        self._seen: FIFOCache[tuple[str, str, str], float] = FIFOCache(KEPT_EVENTS)
        self._lock = threading.Lock()

    # --- for tests and scripts ---------------------------------------------------------------------------------------

    @property
    def received(self) -> list[dict[str, Any]]:
        """The events that were taken, oldest first, each once."""
        return self.received_of()

    def received_of(self, pixel_id: str | None = None) -> list[dict[str, Any]]:
        """The events that one pixel got, or all."""
        with self._lock:
            return [arrival.event for arrival in self._arrivals if pixel_id in (None, arrival.pixel_id)]

    @property
    def arrivals(self) -> list[ReceivedEvent]:
        """The same events, with their pixels and the times of their arrival."""
        with self._lock:
            return list(self._arrivals)

    def fail(  # noqa: PLR0913  # each is a word of the control API
        self,
        *,
        code: int | None = None,
        subcode: int | None = None,
        http_status: int | None = None,
        message: str = "",
        pixel_id: str | None = None,
        times: int | None = None,
        probability: float = 1.0,
        delay_seconds: float = 0.0,
        close: bool = False,
        accept: bool = False,
        edge: str = EVENTS,
    ) -> None:
        """Answer with Meta's error ``code``, slowly, or with a closed connection: see ``Fault``."""
        error = None
        if code is not None:
            error = error_from_json({"code": code, "subcode": subcode, "http_status": http_status, "message": message})
        self.faults.add(
            Fault(
                edge=edge,
                pixel_id=pixel_id,
                error=error,
                close=close,
                accept=accept,
                delay_seconds=delay_seconds,
                times=times,
                probability=probability,
            )
        )

    def recover(self) -> None:
        """Fail no more."""
        self.faults.clear()

    def clear(self) -> None:
        """Forget all events, requests and registrations; faults stay."""
        self.registrations.clear()
        with self._lock:
            self.requests.clear()
            self._arrivals.clear()
            self._seen.clear()
            self.received_by_pixel.clear()
            self.received_count = self.duplicates = 0

    # --- the events edge ---------------------------------------------------------------------------------------------

    def post_events(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> SandboxResponse:
        """Take the events as Meta would, unless a fault is in force."""
        trace_id = secrets.token_urlsafe(16)
        fault = self.faults.next_for(pixel_id) or Fault()
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        failing = fault.error is not None or fault.close
        error, count = fault.error, 0
        if fault.accept or not failing:
            try:
                count = self._take(version, pixel_id, payload)
            except GraphError as refusal:
                error = error or refusal
        if fault.close:
            code, answer = -1, SandboxResponse(0, None)
        elif error is not None:
            code, answer = error.code, SandboxResponse(error.http_status, error.as_json(trace_id))
        else:
            code, answer = 0, SandboxResponse(200, {"events_received": count, "messages": [], "fbtrace_id": trace_id})
        self._note(version, pixel_id, payload, code)
        return answer

    def whose_token(self, token: str) -> SandboxResponse:
        """What ``GET /<version>/me`` answers: the token's own id, unless a fault for every pixel is in force."""
        trace_id = secrets.token_urlsafe(16)
        fault = self.faults.next_for("") or Fault()
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        if fault.close:
            return SandboxResponse(0, None)
        try:
            rules.check_token(token)
        except GraphError as refusal:
            return SandboxResponse(refusal.http_status, refusal.as_json(trace_id))
        return (
            SandboxResponse(fault.error.http_status, fault.error.as_json(trace_id))
            if fault.error
            else SandboxResponse(200, {"id": "1"})
        )

    def _take(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> int:
        rules.check_path(version, pixel_id)
        rules.check_token(payload.get("access_token"))
        now = time.time()
        events = rules.check_events(payload.get("data"), now=now)
        with self._lock:
            for event in events:
                self._keep(pixel_id, event, now)
        return len(events)

    def _keep(self, pixel_id: str, event: dict[str, Any], now: float) -> None:
        event_id = event.get("event_id")
        if event_id:
            key = (pixel_id, event["event_name"], event_id)
            if now - self._seen.get(key, 0) < DUPLICATE_SECONDS:
                self.duplicates += 1
                return
            self._seen[key] = now
        self.received_count += 1
        self.received_by_pixel[pixel_id] += 1
        self._arrivals.append(ReceivedEvent(pixel_id, event, now))

    def _note(self, version: str, pixel_id: str, payload: Mapping[str, Any], code: int) -> None:
        data = payload.get("data")
        request = Request(
            pixel_id=pixel_id,
            version=version,
            event_count=len(data) if isinstance(data, list) else 0,
            access_token=str(payload.get("access_token", "")),
            options={key: value for key, value in payload.items() if key not in ("data", "access_token")},
            code=code,
            at=time.time(),
        )
        with self._lock:
            self.requests.append(request)

    # --- for people --------------------------------------------------------------------------------------------------

    def overview(self, pixel_id: str | None = None, limit: int = 100) -> dict[str, Any]:
        """What ``GET /_events`` answers: how many events came, and the newest of them, newest first."""
        with self._lock:
            count = self.received_count if pixel_id is None else self.received_by_pixel[pixel_id]
            newest = (arrival for arrival in reversed(self._arrivals) if pixel_id in (None, arrival.pixel_id))
            events = [_shown(arrival) for arrival in islice(newest, limit)]
            return {"received": count, "duplicates": self.duplicates, "events": events}


def _shown(arrival: ReceivedEvent) -> dict[str, Any]:
    """For people. JSON is written so many levels deep: within the answer, an event may have as many as it came with."""
    return {"pixel_id": arrival.pixel_id, "event": orjson.Fragment(orjson.dumps(arrival.event))}
