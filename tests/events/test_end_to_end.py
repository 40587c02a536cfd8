"""From the sender to Meta: for any filters, switches and events, what arrives and what is counted is what a model says.

The model is brute force, and knows nothing of the code: every filter is looked at for every event.
"""

from __future__ import annotations

import json
import time
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.delivery.publishing import drain
from events.models import Counter, DeadLetter, Lane, OutboxRow
from events.sandbox import Sandbox
from events.sandbox.server import serve
from pixels.models import Pixel
from tests.events.logged import logged
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory, TenantFactory

NAMES = ["Purchase", "purchase", "Lead"]
HOSTS = ["example.com", "shop.example.com", "notexample.com"]
STATES = st.sampled_from(["PUBLISH", "DROP"])
FATES = [
    "published",
    "dropped_by_event_filter",
    "dropped_by_domain_filter",
    "dropped_receiving_off",
    "dropped_publishing_off",
    "failed",
    "expired",
]

_numbers = count(1)


@dataclass(frozen=True)
class Sent:
    """An event to send. Meta refuses a bad one."""

    name: str
    host: str | None
    bad: bool = False

    def as_json(self, event_id: str) -> dict[str, Any]:
        event: dict[str, Any] = {
            "event_name": self.name,
            "event_id": event_id,
            "event_time": int(time.time()),
            "action_source": "email",
            "user_data": {"em": "Ada@example.com "},
            "custom_data": {"currency": "EUR", "value": 1},
        }
        if self.host:
            event |= {"action_source": "website", "event_source_url": f"https://{self.host}/cart?step=1"}
            event["user_data"]["client_user_agent"] = "Browser"
        if self.bad:
            event["user_data"]["no_parameter_of_meta"] = "x"
        return event


@dataclass
class Story:
    """The filters and switches of an account's two pixels, and what happens: requests, and turns of the worker.

    ``filters`` are by pixel (0, 1, or None for both) and by event name or domain.
    """

    event_filters: dict[tuple[int | None, str], str]
    domain_filters: dict[tuple[int | None, str], str]
    receives: bool
    publishes: bool
    acts: list[tuple[str, int, list[Sent]]] = field(default_factory=list)

    def fate(self, pixel: int, event: Sent) -> str:
        """The counter in which the event ends."""
        if pixel == 0 and not self.receives:
            return "dropped_receiving_off"
        if self._state(self.event_filters, pixel, event.name) == "DROP":
            return "dropped_by_event_filter"
        if event.host and self._domain_state(pixel, event.host) == "DROP":
            return "dropped_by_domain_filter"
        if pixel == 0 and not self.publishes:
            return "dropped_publishing_off"
        return "failed" if event.bad else "published"

    def _domain_state(self, pixel: int, host: str) -> str | None:
        holding = {name for of, name in self.domain_filters if of in (None, pixel)}
        covering = {name for name in holding if host == name or host.endswith(f".{name}")}
        return self._state(self.domain_filters, pixel, max(covering, key=len)) if covering else None

    @staticmethod
    def _state(filters: dict[tuple[int | None, str], str], pixel: int, name: str) -> str | None:
        states = [state for (of, known), state in filters.items() if known == name and of == pixel]
        states += [state for (of, known), state in filters.items() if known == name and of is None]
        return states[0] if states else None


sent = st.builds(Sent, st.sampled_from(NAMES), st.sampled_from([None, *HOSTS]), st.booleans())
places = st.sampled_from([None, 0, 1])
stories = st.builds(
    Story,
    st.dictionaries(st.tuples(places, st.sampled_from(NAMES)), STATES, max_size=5),
    st.dictionaries(st.tuples(places, st.sampled_from(HOSTS)), STATES, min_size=4, max_size=8),
    st.booleans(),
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(["post", "post", "work", "work, Meta fails", "work, answer lost"]),
            st.integers(0, 1),
            st.lists(sent, min_size=1, max_size=12),
        ),
        min_size=1,
        max_size=6,
    ),
)


@pytest.fixture(scope="module")
def meta() -> Iterator[tuple[Sandbox, str]]:
    """One sandbox for all examples: their pixels differ."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        yield sandbox, url


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # making a failing story shorter takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=stories)
@pytest.mark.slow
def test_what_arrives_and_is_counted_is_what_the_model_says(meta: tuple[Sandbox, str], story: Story) -> None:
    sandbox, url = meta
    pixels = make_pixels(story)
    expected: list[list[tuple[str, str, Sent]]] = [[], []]
    with override_settings(GRAPH_API_URL=url):
        for act, number, events in story.acts:
            pixel = pixels[number]
            if act == "post":
                ids = [f"event-{next(_numbers)}" for _ in events]
                post(pixel, [event.as_json(event_id) for event, event_id in zip(events, ids, strict=True)])
                expected[number] += [
                    (event_id, story.fate(number, event), event) for event_id, event in zip(ids, events, strict=True)
                ]
            else:
                if act != "work":
                    sandbox.fail(pixel_id=pixel.pixel_id, code=2, accept=act == "work, answer lost", times=1)
                work(pixel)
                sandbox.recover()
            assert_identity(pixel)
        for number, pixel in enumerate(pixels):
            work(pixel)
            assert_as_expected(sandbox, pixel, expected[number])


def make_pixels(story: Story) -> list[Pixel]:
    account = TenantFactory.create()
    first = PixelFactory.create(tenant=account, event_bridge_active=story.receives, publishing_enabled=story.publishes)
    pixels = [first, PixelFactory.create(tenant=account)]
    for (of, name), state in story.event_filters.items():
        pixel = None if of is None else pixels[of]
        EventFilterFactory.create(tenant=account, pixel=pixel, event_name=name, state=state)
    for (of, name), state in story.domain_filters.items():
        pixel = None if of is None else pixels[of]
        DomainFilterFactory.create(tenant=account, pixel=pixel, domain=name, state=state)
    return pixels


def post(pixel: Pixel, events: list[dict[str, Any]]) -> None:
    answer = Client().post(
        f"/capi/{pixel.pixel_id}/events", json.dumps({"data": events}), content_type="application/json"
    )
    assert answer.status_code == 202, answer.content


def work(pixel: Pixel) -> None:
    """The worker's turn, when any wait after a failure is over."""
    Lane.objects.filter(pixel=pixel).update(retry_at=None)
    drain(pixel.pk)


def assert_identity(pixel: Pixel) -> None:
    """Received = published + dropped + failed + expired + waiting, whatever has happened so far."""
    waiting = OutboxRow.objects.filter(pixel=pixel, counted=True).aggregate(n=Sum("event_count"))["n"] or 0
    counted = totals(pixel)
    assert counted["received"] == sum(counted[name] for name in FATES) + waiting


def totals(pixel: Pixel) -> Tally[str]:
    days = Counter.objects.filter(pixel=pixel, span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
    return Tally(
        {name: number or 0 for name, number in days.aggregate(**{f: Sum(f) for f in ["received", *FATES]}).items()}
    )


def assert_as_expected(sandbox: Sandbox, pixel: Pixel, expected: list[tuple[str, str, Sent]]) -> None:
    assert not OutboxRow.objects.filter(pixel=pixel).exists()
    published = [event_id for event_id, fate, _ in expected if fate == "published"]
    assert sorted(event["event_id"] for event in sandbox.received_of(pixel.pixel_id)) == sorted(published)
    failed = {event_id for event_id, fate, _ in expected if fate == "failed"}
    assert set(DeadLetter.objects.filter(pixel=pixel).values_list("event_id", flat=True)) == failed
    assert +totals(pixel) == Tally({"received": len(expected)}) + Tally(fate for _, fate, _ in expected)
    for dimension, labels in (
        (Counter.Dimension.EVENT_NAME, [event.name for _, _, event in expected]),
        (Counter.Dimension.WEBSITE, [event.host for _, _, event in expected if event.host]),
    ):
        rows = Counter.objects.filter(pixel=pixel, span=Counter.Span.HOUR, dimension=dimension)
        counted: Tally[str] = Tally()
        for label, number in rows.values_list("label", "received"):
            counted[label] += number
        assert counted == Tally(labels)
    assert sorted(line.event_id for line in logged(pixel)) == sorted(event_id for event_id, _, _ in expected)
