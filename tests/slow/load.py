"""Callers who ask all the time, and remember what they were answered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx

from accounts.services.api_accounts import IssuedApiAccount
from tests.events.browser_posting import HEADERS, page_view

_numbers = count(1)


@dataclass(frozen=True)
class Ask:
    """One kind of request, made anew for each call."""

    method: str
    path: str
    body: Callable[[], dict[str, Any] | None] = lambda: None
    headers: dict[str, str] = field(default_factory=dict)
    form: bool = False


@dataclass(frozen=True)
class Answered:
    """A request and what came of it; status 0 where nothing did."""

    kind: str
    began: float
    ended: float
    status: int
    headers: httpx.Headers
    text: str
    body: dict[str, Any] | None
    fault: str = ""


def events_for(pixel_id: str) -> Ask:
    """A purchase with an id of its own."""

    def body() -> dict[str, Any]:
        event = {
            "event_name": "Purchase",
            "event_id": f"order-{next(_numbers)}",
            "event_time": int(time.time()),
            "action_source": "email",
            "user_data": {"external_id": "v-17"},
            "custom_data": {"currency": "EUR", "value": 9.5},
        }
        return {"data": [event]}

    return Ask("POST", f"/capi/{pixel_id}/events", body)


def browser_event_for(pixel_id: str) -> Ask:
    """What the Meta Pixel posts, with an id of its own."""
    return Ask("POST", "/events", lambda: page_view(pixel_id, event_id=f"view-{next(_numbers)}"), HEADERS)


def token_for(issued: IssuedApiAccount) -> Ask:
    """A partner asks for a token."""
    form = {"grant_type": "client_credentials", "client_id": issued.api_account.name, "client_secret": issued.secret}
    return Ask("POST", "/clients/token", lambda: form, form=True)


def hub_query(token: str) -> Ask:
    """What a partner asks GraphQL for."""
    query = {"query": "{ tenants { edges { node { id name } } } }"}
    return Ask("POST", "/hub/graphql/", lambda: query, {"Authorization": f"Bearer {token}"})


def send(client: httpx.Client, kind: str, ask: Ask) -> Answered:
    """Make one request."""
    body, began = ask.body(), time.monotonic()
    content = None if body is None else urlencode(body) if ask.form else json.dumps(body)
    content_type = "application/x-www-form-urlencoded" if ask.form else "application/json"
    headers = {**ask.headers, **({"Content-Type": content_type} if body is not None else {})}
    try:
        got = client.request(ask.method, ask.path, content=content, headers=headers)
    except httpx.HTTPError as error:
        return Answered(kind, began, time.monotonic(), 0, httpx.Headers(), "", body, type(error).__name__)
    return Answered(kind, began, time.monotonic(), got.status_code, got.headers, got.text, body)


class Load:
    """Threads that send requests of each kind, one after the other."""

    def __init__(self, url: str, asks: dict[str, Ask], *, pause: float = 0.02, keep_alive: bool = True) -> None:
        self.url, self.asks, self.pause, self.keep_alive = url, asks, pause, keep_alive
        self.answers: list[Answered] = []
        self._enough = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send while the block runs."""
        threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in self.asks.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join(30)

    def _run(self, kind: str, ask: Ask) -> None:
        limits = httpx.Limits(max_keepalive_connections=None if self.keep_alive else 0)
        with httpx.Client(base_url=self.url, timeout=20, limits=limits) as client:
            while not self._enough.wait(self.pause):
                self.answers.append(send(client, kind, ask))

    def between(self, start: float, end: float = float("inf")) -> list[Answered]:
        """The requests that began and ended within these moments."""
        return [each for each in list(self.answers) if start <= each.began and each.ended <= end]


def _taken_as(kind: str) -> int:
    """The status that says so; browsers get the one that Meta answers them with."""
    return 200 if kind == "browser" else 202


def accepted(answers: list[Answered]) -> set[str]:
    """The ids of the events that were taken."""
    taken = [each.body for each in answers if each.body and each.status == _taken_as(each.kind)]
    return {event["event_id"] for body in taken for event in body.get("data", [body])}
