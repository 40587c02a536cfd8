"""Workers that are killed or meet: Meta has one configuration of ours for a pixel, and knows the newest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.principals import OPERATOR
from events.models import Registration, Removal
from events.registration.edge import Edge
from events.registration.removing import remove
from events.registration.telling import tell
from events.sandbox import Sandbox
from filters.services import update_event_filter
from pixels.models import Pixel
from pixels.services import disconnect_pixel
from tests.events.registration.conftest import Sweep, row_of, told
from tests.factories import PixelFactory, TenantFactory

State = Registration.State
#: After that the lease of a killed worker has run out.
LEASE_OVER = timedelta(minutes=2)


class Killed(BaseException):
    """The process is gone, whatever it was about to do."""


def _killed_after(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Kill the worker between Meta's answer to it and our commit."""
    real: Callable[..., Any] = getattr(Edge, method)

    def act(edge: Edge, *args: Any) -> None:
        real(edge, *args)
        monkeypatch.setattr(Edge, method, real)
        raise Killed

    monkeypatch.setattr(Edge, method, act)


@pytest.mark.django_db
def test_a_kill_between_metas_answer_and_the_commit_makes_no_double(
    sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel = PixelFactory.create()
    _killed_after(monkeypatch, "create")
    with pytest.raises(Killed):
        tell(pixel.pk)
    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert row_of(pixel).node == ""

    sweep()
    assert row_of(pixel).state == State.WAITING, "the lease of the dead holds"
    sweep(after=LEASE_OVER)

    assert (row_of(pixel).state, row_of(pixel).node) == (State.REGISTERED, node["id"])
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1


@pytest.mark.django_db
def test_a_kill_after_a_change_tells_it_again(sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    pixel = PixelFactory.create()
    sweep()
    update_event_filter(principal=OPERATOR, tenant_id=pixel.tenant_id, event_name="Lead", state="DROP")
    _killed_after(monkeypatch, "update")
    with pytest.raises(Killed):
        tell(pixel.pk)

    sweep(after=LEASE_OVER)

    assert row_of(pixel).state == State.REGISTERED
    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["blocked_event_types"] == ["Lead"]


@pytest.mark.django_db
def test_a_pixel_that_goes_after_a_kill_is_removed_all_the_same(
    sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel = PixelFactory.create()
    _killed_after(monkeypatch, "create")
    with pytest.raises(Killed):
        tell(pixel.pk)

    disconnect_pixel(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)
    sweep(after=LEASE_OVER)

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


@pytest.mark.django_db
def test_a_kill_while_removing_removes_again(sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    pixel = PixelFactory.create()
    sweep()
    disconnect_pixel(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)
    _killed_after(monkeypatch, "delete")
    with pytest.raises(Killed):
        remove(pixel.pixel_id)

    sweep(after=LEASE_OVER)

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def _at_once(*acts: Callable[[], object]) -> None:
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_two_tasks_at_once_one_tells(sandbox: Sandbox) -> None:
    pixel = PixelFactory.create()

    _at_once(*[partial(tell, pixel.pk)] * 4)

    assert len(told(sandbox)) == 1
    assert row_of(pixel).state == State.REGISTERED


@pytest.mark.django_db(transaction=True)
def test_a_filter_that_is_set_while_meta_is_told_is_never_lost(sandbox: Sandbox, sweep: Sweep) -> None:
    tenant = TenantFactory.create()
    pixels = PixelFactory.create_batch(3, tenant=tenant)
    for number in range(5):
        block = partial(
            update_event_filter,
            principal=OPERATOR,
            tenant_id=tenant.pk,
            event_name=f"Event{number}",
            state="DROP",
        )
        _at_once(block, *[partial(tell, pixel.pk) for pixel in pixels])
    sweep()

    for pixel in pixels:
        (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
        assert node["blocked_event_types"] == [f"Event{number}" for number in range(5)]


@pytest.mark.django_db(transaction=True)
def test_a_pixel_that_goes_while_meta_is_told_leaves_nothing_at_meta(sandbox: Sandbox, sweep: Sweep) -> None:
    for _ in range(5):
        pixel: Pixel = PixelFactory.create()
        disconnect = partial(disconnect_pixel, principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)
        _at_once(disconnect, partial(tell, pixel.pk))
    sweep(after=LEASE_OVER)

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])
