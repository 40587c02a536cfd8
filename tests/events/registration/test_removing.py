"""What becomes of a registration whose pixel goes, and comes again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEntry
from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from common.secrets import Secret
from events import pruning
from events.models import Registration, Removal
from events.registration import leases, removing
from events.registration.edge import Edge, NotDone
from events.registration.removing import remove
from events.registration.services import register_pixel
from events.sandbox import Sandbox
from events.sandbox.registrations import EDGE
from pixels.models import Pixel
from pixels.services import connect_pixel, disconnect_pixel
from tests.events.registration.conftest import Sweep, row_of, told
from tests.factories import PixelFactory, TenantFactory

State = Registration.State
LATER = timedelta(hours=7)

pytestmark = pytest.mark.django_db


def _disconnect(pixel: Pixel) -> None:
    disconnect_pixel(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)


def _connect(pixel: Pixel, **changes: Any) -> Pixel:
    given = {"tenant_id": pixel.tenant_id, "business_id": "1", "access_token": "token", **changes}
    return connect_pixel(principal=OPERATOR, pixel_id=pixel.pixel_id, **given)


@pytest.fixture
def pixel(sandbox: Sandbox, sweep: Sweep) -> Pixel:
    """One that is registered."""
    pixel: Pixel = PixelFactory.create()
    sweep()
    assert row_of(pixel).state == State.REGISTERED
    return pixel


def test_a_removed_pixel_is_removed_from_meta_and_its_token_is_gone(
    sandbox: Sandbox, sweep: Sweep, pixel: Pixel
) -> None:
    _disconnect(pixel)
    removal = Removal.objects.get()
    assert (removal.pixel_id, removal.tenant_id) == (pixel.pixel_id, pixel.tenant_id)
    assert removal.access_token.reveal() == "the token of a test's pixel"
    assert not Registration.objects.exists()

    sweep()

    assert sandbox.registrations.all() == []
    assert not Removal.objects.exists()


def test_the_pixels_of_a_deleted_account_are_removed(sandbox: Sandbox, sweep: Sweep, pixel: Pixel) -> None:
    PixelFactory.create(tenant=pixel.tenant)
    sweep()
    assert len(sandbox.registrations.all()) == 2

    delete_tenant(principal=OPERATOR, tenant_id=pixel.tenant_id)
    assert Removal.objects.count() == 2
    sweep()

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def test_of_a_pixel_that_meta_never_heard_of_nothing_is_left(sandbox: Sandbox) -> None:
    _disconnect(PixelFactory.create())

    assert not Removal.objects.exists()


def test_what_meta_has_made_without_an_answer_is_removed_though_somebody_has_tried_again(
    sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel = PixelFactory.create()
    _lose_the_answer(monkeypatch, sweep)
    register_pixel(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)

    _disconnect(pixel)
    sweep()

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def test_so_it_is_though_the_pixel_has_come_and_gone_once_more(
    sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel = PixelFactory.create()
    _lose_the_answer(monkeypatch, sweep)

    _disconnect(pixel)
    _disconnect(_connect(pixel))
    sweep()

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def _lose_the_answer(monkeypatch: pytest.MonkeyPatch, sweep: Sweep) -> None:
    """Meta makes a configuration, and no answer comes."""
    create = Edge.create

    def time_out(edge: Edge, business_id: str, fields: Mapping[str, Any]) -> str:
        create(edge, business_id, fields)
        raise NotDone("ReadTimeout")

    with monkeypatch.context() as patch:
        patch.setattr(Edge, "create", time_out)
        sweep()


def test_what_meta_does_not_confirm_is_tried_again(sandbox: Sandbox, sweep: Sweep, pixel: Pixel) -> None:
    sandbox.fail(edge=EDGE, code=2, times=1)
    sandbox.fail(edge=EDGE, code=200, times=1)
    _disconnect(pixel)

    sweep()
    assert (Removal.objects.get().failures, Removal.objects.get().code) == (1, "2")
    sweep(after=LATER)
    assert (Removal.objects.get().failures, Removal.objects.get().code) == (2, "200")
    sweep(after=2 * LATER)

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def test_what_meta_has_forgotten_already_is_done(sandbox: Sandbox, sweep: Sweep, pixel: Pixel) -> None:
    sandbox.clear()
    _disconnect(pixel)

    sweep()

    assert not Removal.objects.exists()


def test_after_seven_days_the_token_is_forgotten_and_the_audit_log_tells(
    sandbox: Sandbox, sweep: Sweep, pixel: Pixel
) -> None:
    sandbox.fail(edge=EDGE, code=200)
    _disconnect(pixel)
    sweep()

    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        pruning.prune()
    assert Removal.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(days=7, hours=1)):
        pruning.prune()

    assert not Removal.objects.exists()
    entry = AuditEntry.objects.get(act="give up removal")
    assert (entry.actor, entry.subject, entry.tenant_id) == ("schedule", pixel.pixel_id, pixel.tenant_id)


def test_a_kill_while_a_removal_is_given_up_leaves_it_as_it_was(
    sandbox: Sandbox, sweep: Sweep, pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record_and_die(*args: Any, **changes: Any) -> None:
        record(*args, **changes)
        raise SystemExit

    _disconnect(pixel)
    monkeypatch.setattr(removing, "record", record_and_die)

    with pytest.raises(SystemExit):
        removing.prune(timezone.now() + timedelta(days=8))

    assert Removal.objects.exists()
    assert not AuditEntry.objects.filter(act="give up removal").exists()


def test_a_pixel_that_comes_again_before_it_is_removed_stays(sandbox: Sandbox, sweep: Sweep, pixel: Pixel) -> None:
    node = row_of(pixel).node
    _disconnect(pixel)
    again = _connect(pixel)
    assert not Removal.objects.exists(), "what was to be removed is the new connection's"

    sweep()

    assert (row_of(again).state, row_of(again).node) == (State.REGISTERED, node)
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1
    assert [request.method for request in told(sandbox)] == ["POST", "POST"]


def test_so_does_one_that_comes_again_in_another_account(sandbox: Sandbox, sweep: Sweep, pixel: Pixel) -> None:
    _disconnect(pixel)
    again = _connect(pixel, tenant_id=TenantFactory.create().pk)

    sweep()

    assert row_of(again).state == State.REGISTERED
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1


def test_one_that_comes_again_while_it_is_being_removed_waits_for_the_end_of_that(
    sandbox: Sandbox, sweep: Sweep, pixel: Pixel
) -> None:
    _disconnect(pixel)
    claimed = leases.claim(Removal, pixel.pixel_id)
    assert claimed is not None

    again = _connect(pixel)
    sweep()
    assert row_of(again).state == State.WAITING
    sandbox.registrations.answer("DELETE", claimed.node, False, "token", {})  # the request that was under way
    leases.finish(claimed)
    sweep(after=timedelta(minutes=2))

    assert row_of(again).state == State.REGISTERED
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1


def test_one_that_goes_while_it_is_being_registered_is_removed_after_that(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    telling = leases.claim(Registration, pixel.pk)
    assert telling is not None

    _disconnect(pixel)
    sweep()
    assert Removal.objects.exists(), "nothing is there yet: that it is gone would be said too early"
    fields = {"pixel_id": pixel.pixel_id, "instance_id": _own_id()}
    sandbox.registrations.answer("POST", "1", True, "token", fields)  # the request that was under way
    assert not leases.give_back(telling, again_at=None, node="1")
    sweep(after=timedelta(minutes=2))

    assert (sandbox.registrations.all(), list(Removal.objects.all())) == ([], [])


def _own_id() -> str:
    from events.registration.registrar import instance_id

    return instance_id()


def test_other_gateways_of_the_pixel_stay(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    theirs = {"pixel_id": pixel.pixel_id, "instance_id": "theirs", "endpoint": "https://other.example.net"}
    sandbox.registrations.answer("POST", "1", True, "token", theirs)
    sweep()

    _disconnect(pixel)
    sweep()

    assert not Removal.objects.exists()
    assert [node["instance_id"] for node in sandbox.registrations.of_pixel(pixel.pixel_id)] == ["theirs"]


def test_a_token_that_cannot_be_read_is_no_reason_to_ask_all_the_time(sandbox: Sandbox, pixel: Pixel) -> None:
    _disconnect(pixel)
    Removal.objects.update(access_token=Secret("gAAAAA-of-a-key-that-is-lost"))

    with pytest.raises(Exception, match="FIELD_ENCRYPTION_KEYS"):
        remove(pixel.pixel_id)

    removal = Removal.objects.get()
    assert (removal.failures, removal.silence, removal.claim) == (1, "UndecryptableError", None)
    assert removal.due_at is not None
