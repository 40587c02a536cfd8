"""Dead letters put back into the queue, or discarded: once, and with the counts kept true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from accounts.principals import OPERATOR, principal_of_user
from common.errors import InvalidInput, NotAuthorized, NotFound
from events.delivery import replaying, services
from events.delivery.publishing import drain
from events.models import Counter, DeadLetter, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, snapshot
from tests.events.logged import logged
from tests.events.outbox import bad_purchase, counted, is_balanced, lane, purchase, put, waiting
from tests.factories import DeadLetterFactory, PixelFactory
from tests.operations import run
from tests.pixels.test_races import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW) as clock:
        yield clock


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pixels that workers were told of."""
    woken: list[int] = []
    monkeypatch.setattr("events.intake.wakeups.wake", woken.append)
    return woken


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


def refused(pixel: Pixel, n: int = 1, **changes: Any) -> list[DeadLetter]:
    """Dead letters, as the worker leaves them: counted as failed, and logged."""
    put(pixel, *(bad_purchase(**changes) for _ in range(n)))
    drain(pixel.pk)
    return list(DeadLetter.objects.filter(pixel=pixel).order_by("pk"))[-n:]


def replay(letter: DeadLetter) -> None:
    services.replay_dead_letter(principal=OPERATOR, tenant_id=letter.pixel.tenant_id, dead_letter_id=str(letter.pk))


def replay_all(pixel: Pixel) -> int:
    return services.replay_dead_letters(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)


def test_an_event_that_meta_takes_no_more_stays_a_dead_letter(pixel: Pixel, clock: time_machine.Traveller) -> None:
    (letter,) = refused(pixel)
    clock.shift(timedelta(days=8))

    with pytest.raises(InvalidInput, match="older than 7 days"):
        replay(letter)

    assert replay_all(pixel) == 0
    assert DeadLetter.objects.filter(pk=letter.pk).exists()


def test_a_replayed_event_waits_as_if_it_had_never_failed(pixel: Pixel) -> None:
    letter, other = refused(pixel, 2)
    before = counted(pixel)
    assert before == {"received": 2, "failed": 2, "publish_errors": 3}

    replay(letter)

    row = OutboxRow.objects.get()
    assert bytes(row.body) == b"[%b]" % bytes(letter.event)
    assert (row.counted, row.event_count, row.received_at) == (True, 1, letter.received_at)
    assert list(DeadLetter.objects.all()) == [other]
    assert counted(pixel) == {**before, "failed": 1}
    assert counted(pixel, Counter.Dimension.WEBSITE, "shop.example.com") == {"received": 2, "failed": 1}
    assert is_balanced(pixel)


def test_a_replayed_event_is_published_with_its_id_and_counted_once(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fail(code=100, times=1)
    sent = purchase()
    put(pixel, sent)
    drain(pixel.pk)
    assert sandbox.received == []

    assert replay_all(pixel) == 1
    drain(pixel.pk)

    assert sandbox.received == [sent]
    assert counted(pixel) == {"received": 1, "published": 1, "publish_errors": 1}
    assert is_balanced(pixel)
    assert [line.outcome for line in logged()] == ["FAILED", "PUBLISHED"]


def test_what_meta_refuses_again_is_a_dead_letter_again(pixel: Pixel) -> None:
    refused(pixel)

    replay_all(pixel)
    drain(pixel.pk)

    assert DeadLetter.objects.count() == 1
    assert counted(pixel)["failed"] == 1
    assert is_balanced(pixel)


def test_all_of_a_pixel_are_replayed_in_order_with_what_meta_is_to_know(pixel: Pixel) -> None:
    other = PixelFactory.create(tenant=pixel.tenant)
    DeadLetterFactory.create(pixel=other)
    DeadLetterFactory.create(pixel=pixel, event_id="second", failed_at=NOW, options='{"test_event_code":"T1"}')
    DeadLetterFactory.create(pixel=pixel, event_id="first", failed_at=NOW - timedelta(hours=1))

    assert replay_all(pixel) == 2

    first, second = OutboxRow.objects.filter(pixel=pixel).order_by("pk")
    assert b'"first"' in bytes(first.body)
    assert (b'"second"' in bytes(second.body), second.options) == (True, '{"test_event_code":"T1"}')
    assert DeadLetter.objects.get().pixel == other


def test_very_many_are_replayed_in_several_calls(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "REPLAYED_AT_ONCE", 3)
    monkeypatch.setattr(replaying, "_CHUNK", 2)
    refused(pixel, 5)

    assert [replay_all(pixel) for _ in range(3)] == [3, 2, 0]
    assert waiting(pixel) == 5
    assert is_balanced(pixel)


def test_a_replay_takes_few_statements(pixel: Pixel) -> None:
    refused(pixel, 100)

    with CaptureQueriesContext(connection) as queries:
        assert replay_all(pixel) == 100

    assert len(queries) <= 12


@pytest.mark.parametrize(
    ("days", "failed"),
    [
        (1, {"MINUTE": 0, "HOUR": 0, "DAY": 0}),
        (3, {"HOUR": 0, "DAY": 0}),
        (6, {"HOUR": 0, "DAY": 0}),
    ],
)
def test_events_are_taken_from_the_counts_of_when_they_failed(
    pixel: Pixel, clock: time_machine.Traveller, days: int, failed: dict[str, int]
) -> None:
    """Where these are pruned by now, nothing is taken from anything."""
    from events.pruning import prune

    refused(pixel)
    clock.shift(timedelta(days=days))
    prune()

    replay_all(pixel)

    spans = {
        Counter.Span(row.span).name: row.failed
        for row in Counter.objects.filter(pixel=pixel, dimension=Counter.Dimension.TOTAL)
    }
    assert spans == failed
    assert not Counter.objects.filter(failed__lt=0).exists()


def test_where_even_days_are_pruned_nothing_is_taken_from(
    pixel: Pixel, clock: time_machine.Traveller, settings: Any
) -> None:
    from events.pruning import prune

    settings.COUNTER_RETENTION = 2
    refused(pixel)
    clock.shift(timedelta(days=5))
    prune()

    assert replay_all(pixel) == 1

    assert not Counter.objects.exists()


def test_events_are_taken_from_where_they_were_counted_together(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.figures.counting.LABELS_A_DAY", 1)
    refused(pixel, event_name="Purchase")
    refused(pixel, event_name="Lead")
    assert counted(pixel, Counter.Dimension.EVENT_NAME, "")["failed"] == 1

    replay_all(pixel)

    assert not Counter.objects.exclude(failed=0).exists()
    assert is_balanced(pixel)


def test_workers_are_told(
    pixel: Pixel, woken: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    first, _ = refused(pixel, 2)

    with django_capture_on_commit_callbacks(execute=True):
        replay(first)
        replay_all(pixel)
        assert woken == []

    assert woken == [pixel.pk, pixel.pk]


def test_a_replay_without_dead_letters_does_nothing(cast: Cast, woken: list[int]) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    before = snapshot()

    assert replay_all(pixel) == 0
    assert snapshot() == before


def test_a_discarded_event_stays_counted_as_failed(pixel: Pixel) -> None:
    letter, _, _ = refused(pixel, 3)

    services.discard_dead_letter(principal=OPERATOR, tenant_id=pixel.tenant_id, dead_letter_id=str(letter.pk))
    assert DeadLetter.objects.count() == 2
    count = services.discard_dead_letters(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)

    assert (count, DeadLetter.objects.count(), OutboxRow.objects.count()) == (2, 0, 0)
    assert counted(pixel)["failed"] == 3
    assert is_balanced(pixel)


def test_a_pixel_that_is_held_is_let_go(
    pixel: Pixel, sandbox: Sandbox, woken: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    sandbox.fail(code=190, times=1)
    put(pixel, purchase())
    drain(pixel.pk)
    assert lane(pixel).held

    with django_capture_on_commit_callbacks(execute=True):
        services.retry_publishing(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)
    assert woken == [pixel.pk]
    drain(pixel.pk)

    assert len(sandbox.received) == 1


def test_every_act_is_in_the_audit_log_without_the_event(cast: Cast, sandbox: Sandbox) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    who: dict[str, Any] = {"principal": principal_of_user(cast.max), "tenant_id": cast.shoes.pk}
    one, two, *_ = DeadLetterFactory.create_batch(4, pixel=pixel, event_id="order-7")

    services.replay_dead_letter(**who, dead_letter_id=str(one.pk))
    services.discard_dead_letter(**who, dead_letter_id=str(two.pk))
    services.replay_dead_letters(**who, pixel_id=pixel.pixel_id)
    DeadLetterFactory.create(pixel=pixel)
    services.discard_dead_letters(**who, pixel_id=pixel.pixel_id)
    services.retry_publishing(**who, pixel_id=pixel.pixel_id)

    entries = AuditEntry.objects.order_by("pk").values_list("actor", "tenant_id", "act", "subject", "changes")
    acts = [
        ("replay dead letter", "Purchase order-7", {}),
        ("discard dead letter", "Purchase order-7", {}),
        ("replay dead letters", pixel.pixel_id, {"replayed": [None, 2]}),
        ("discard dead letters", pixel.pixel_id, {"discarded": [None, 1]}),
        ("retry publishing", pixel.pixel_id, {}),
    ]
    assert list(entries) == [("max@example.com", cast.shoes.pk, *act) for act in acts]


SERVICES: list[Callable[..., Any]] = [
    services.replay_dead_letter,
    services.discard_dead_letter,
    services.replay_dead_letters,
    services.discard_dead_letters,
    services.retry_publishing,
]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)
@pytest.mark.parametrize("name", ["olaf", "vic", "vera"])
def test_those_who_may_not_edit_change_nothing(cast: Cast, service: Callable[..., Any], name: str) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.shoes)
    what = {"dead_letter_id": str(letter.pk)} if service in SERVICES[:2] else {"pixel_id": letter.pixel.pixel_id}
    before = snapshot()

    with pytest.raises(NotAuthorized):
        service(principal=principal_of_user(getattr(cast, name)), tenant_id=cast.shoes.pk, **what)

    assert snapshot() == before


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)
def test_what_belongs_to_another_account_is_not_found(cast: Cast, service: Callable[..., Any]) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.other)
    what = {"dead_letter_id": str(letter.pk)} if service in SERVICES[:2] else {"pixel_id": letter.pixel.pixel_id}
    before = snapshot()

    with pytest.raises(NotFound):
        service(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, **what)

    assert snapshot() == before


@pytest.mark.parametrize("letter_id", ["0", "-1", "x", "", "²", "١", "9" * 18, "9" * 30, "1.0", " 1"])
def test_no_such_dead_letter_is_404(cast: Cast, letter_id: str) -> None:
    answer = run(cast.ada, "replayDeadLetter", tenantId=cast.shoes.pk, id=letter_id)

    assert answer.refused(404)
    assert answer.errors[0]["extensions"] == {"code": 404, "field": "id"}


@pytest.mark.parametrize("pixel_id", ["404", "x", ""])
def test_no_such_pixel_is_404(cast: Cast, pixel_id: str) -> None:
    assert run(cast.ada, "replayDeadLetters", tenantId=cast.shoes.pk, pixelId=pixel_id).refused(404)


def test_a_dead_letter_is_replayed_once(cast: Cast) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.shoes)

    first, second = (run(cast.max, "replayDeadLetter", tenantId=cast.shoes.pk, id=letter.pk) for _ in range(2))

    assert first.data == {"tenantMutations": {"replayDeadLetter": {"replayedCount": 1}}}
    assert second.refused(404)
    assert OutboxRow.objects.count() == 1


def test_all_dead_letters_of_a_pixel_are_replayed_through_the_api(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    DeadLetterFactory.create_batch(3, pixel=pixel)

    answer = run(cast.robot, "replayDeadLetters", tenantId=cast.shoes.pk, pixelId=pixel.pixel_id)

    assert answer.data == {"tenantMutations": {"replayDeadLetters": {"replayedCount": 3}}}


@pytest.mark.django_db(transaction=True)
def test_two_replays_at_once_put_an_event_back_once(pixel: Pixel) -> None:
    (letter, *_) = refused(pixel, 5)

    results = at_once(lambda: replay_all(pixel), lambda: replay_all(pixel), lambda: replay(letter))

    assert sum(result for result in results if isinstance(result, int)) in (4, 5)
    assert (waiting(pixel), DeadLetter.objects.count()) == (5, 0)
    assert is_balanced(pixel)


@pytest.mark.django_db(transaction=True)
def test_a_replay_beside_a_worker_loses_and_doubles_nothing(pixel: Pixel, sandbox: Sandbox) -> None:
    refused(pixel, 3)
    put(pixel, *(purchase() for _ in range(20)))

    at_once(lambda: drain(pixel.pk), lambda: replay_all(pixel), lambda: drain(pixel.pk))
    drain(pixel.pk)

    assert len(sandbox.received) == 20
    assert counted(pixel)["failed"] == DeadLetter.objects.count() == 3
    assert is_balanced(pixel)
