"""A copy of an instance waits for an admin's word: one that was restored, and one at another address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from accounts.principals import OPERATOR
from events.models import Registrar, Registration, Removal
from events.registration.registrar import Obstacle, give_word, hold_restored, instance_id, obstacle
from events.registration.removing import remove
from events.registration.telling import tell
from events.sandbox import Sandbox
from pixels.services import disconnect_pixel, set_publishing
from tests.events.registration.conftest import Sweep, row_of
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


def test_an_instance_has_one_name(sandbox: Sandbox) -> None:
    assert instance_id() == instance_id()
    assert Registrar.objects.count() == 1


def test_a_public_instance_may_register(settings: Settings) -> None:
    assert "facebook.com" in settings.GRAPH_API_URL
    assert obstacle() is None

    settings.BASE_URL = "http://gateway.example.com"
    assert obstacle() is Obstacle.NOT_PUBLIC


def test_with_a_sandbox_in_metas_place_any_address_will_do(sandbox: Sandbox, settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    assert obstacle() is None


def _move(settings: Settings) -> None:
    settings.BASE_URL = "https://staging.example.com"


HOLDS: dict[str, Callable[[Settings], None]] = {"restored": lambda settings: hold_restored(), "moved": _move}


@pytest.mark.parametrize("why", HOLDS)
def test_it_tells_and_removes_nothing_until_an_admin_has_said_so(
    sandbox: Sandbox, sweep: Sweep, settings: Settings, why: str
) -> None:
    stays, goes = PixelFactory.create_batch(2)
    sweep()
    before = list(sandbox.registrations.requests)
    HOLDS[why](settings)
    assert obstacle() is Obstacle(why)

    set_publishing(principal=OPERATOR, tenant_id=stays.tenant_id, pixel_id=stays.pixel_id, status=0)
    disconnect_pixel(principal=OPERATOR, tenant_id=goes.tenant_id, pixel_id=goes.pixel_id)
    new = PixelFactory.create()
    sweep()
    tell(stays.pk)  # a task that was sent before
    remove(goes.pixel_id)
    assert sandbox.registrations.requests == before
    assert (row_of(new).state, Removal.objects.count()) == (Registration.State.WAITING, 1)

    give_word()
    sweep()
    assert obstacle() is None
    assert {node["pixel_id"] for node in sandbox.registrations.all()} == {stays.pixel_id, new.pixel_id}
    (node,) = sandbox.registrations.of_pixel(stays.pixel_id)
    assert (node["capi_publishing_state"], node["endpoint"]) == ("DISABLED", settings.BASE_URL)
