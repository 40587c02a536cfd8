"""What people do about registration; who may is told by tests/permissions."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry
from accounts.principals import principal_of_user
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound
from events.models import Registration, Removal
from events.registration import services
from events.registration.registrar import hold_restored, obstacle
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, snapshot
from tests.events.registration.conftest import Sweep, row_of, told
from tests.factories import PixelFactory

State = Registration.State


@pytest.fixture
def pixel(sandbox: Sandbox, cast: Cast) -> Pixel:
    """One of Shoes', as the previous release left it."""
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes)
    Registration.objects.all().delete()
    return pixel


def _by(person: Any, pixel: Pixel, **more: Any) -> dict[str, Any]:
    return {"principal": principal_of_user(person), "tenant_id": pixel.tenant_id, "pixel_id": pixel.pixel_id, **more}


def _all(cast: Cast) -> int:
    return services.register_pixels(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk)


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def test_a_button_registers_a_pixel_of_before(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    services.register_pixel(**_by(cast.ada, pixel))
    sweep()

    assert row_of(pixel).state == State.REGISTERED
    assert acts() == ["register pixel"]


def test_one_that_was_refused_is_tried_again(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    services.register_pixel(**_by(cast.ada, pixel))
    sandbox.fail(edge="openbridge_configurations", code=200, times=1)
    sweep()
    assert row_of(pixel).state == State.REFUSED

    services.register_pixel(**_by(cast.ada, pixel))
    sweep()

    assert (row_of(pixel).state, row_of(pixel).code) == (State.REGISTERED, "")


def test_of_one_that_is_registered_meta_is_told_everything_anew(
    cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep
) -> None:
    services.register_pixel(**_by(cast.ada, pixel))
    sweep()
    sandbox.clear()

    services.register_pixel(**_by(cast.ada, pixel))
    sweep()

    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1


def test_in_place_of_another_gateway(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    theirs = {"pixel_id": pixel.pixel_id, "instance_id": "theirs", "endpoint": "https://other.example.net"}
    sandbox.registrations.answer("POST", "1", True, "token", theirs)

    services.register_pixel(**_by(cast.ada, pixel, replace=True))
    sweep()

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["endpoint"] == "https://gateway.example.com"
    assert acts() == ["register pixel in place"]


def test_all_that_are_not_registered_at_once(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    refused = PixelFactory.create(tenant=cast.shoes, access_token="forbidden")
    registered = PixelFactory.create(tenant=cast.shoes)
    other = PixelFactory.create(tenant=cast.other)
    Registration.objects.filter(pixel=other).delete()
    sweep()
    before = len(told(sandbox))

    assert _all(cast) == 2
    sweep()

    assert [row_of(each).state for each in (pixel, refused, registered)] == ["REGISTERED", "REFUSED", "REGISTERED"]
    assert len(told(sandbox)) == before + 1, "what is registered is left alone"
    assert not Registration.objects.filter(pixel=other).exists()
    assert AuditEntry.objects.get().changes == {"pixels": [None, 2]}


def test_none_at_once_is_no_act(cast: Cast, pixel: Pixel) -> None:
    _all(cast)
    before = snapshot()

    assert _all(cast) == 0
    assert snapshot() == before


def test_those_that_are_named(cast: Cast, pixel: Pixel, sandbox: Sandbox) -> None:
    other = PixelFactory.create(tenant=cast.shoes)
    Registration.objects.all().delete()
    principal = principal_of_user(cast.ada)

    count = services.register_pixels(principal=principal, tenant_id=cast.shoes.pk, pixel_ids=[other.pixel_id])

    assert count == 1
    assert [row.pixel for row in Registration.objects.all()] == [other]
    with pytest.raises(InvalidInput, match="pixelIds"):
        services.register_pixels(principal=principal, tenant_id=cast.shoes.pk, pixel_ids=["4711"])


def test_in_every_account_that_somebody_may_change(cast: Cast, pixel: Pixel) -> None:
    own, others = PixelFactory.create(tenant=cast.books), PixelFactory.create(tenant=cast.other)
    Registration.objects.all().delete()

    assert services.register_everywhere(principal=principal_of_user(cast.milo)) == 2

    assert {row.pixel for row in Registration.objects.all()} == {pixel, others}
    assert services.register_everywhere(principal=principal_of_user(cast.vera)) == 0
    assert not Registration.objects.filter(pixel=own).exists()


def test_taking_it_back_removes_it_for_good(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    services.register_pixel(**_by(cast.ada, pixel))
    sweep()

    services.unregister_pixel(**_by(cast.ada, pixel))
    sweep()
    pixel.save()  # as any later change
    sweep()

    assert sandbox.registrations.all() == []
    assert (Registration.objects.count(), Removal.objects.count()) == (0, 0)
    assert acts() == ["register pixel", "unregister pixel"]


def test_changing_ones_mind_before_meta_was_told(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    services.register_pixel(**_by(cast.ada, pixel))
    sweep()
    services.unregister_pixel(**_by(cast.ada, pixel))
    services.register_pixel(**_by(cast.ada, pixel))
    sweep()

    assert row_of(pixel).state == State.REGISTERED
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1


def test_what_is_not_registered_cannot_be_taken_back(cast: Cast, pixel: Pixel) -> None:
    before = snapshot()

    with pytest.raises(Conflict, match="not registered"):
        services.unregister_pixel(**_by(cast.ada, pixel))
    with pytest.raises(NotFound):
        services.unregister_pixel(**_by(cast.ada, pixel, pixel_id="4711"))
    assert snapshot() == before


def test_an_instance_that_browsers_cannot_reach_says_so(cast: Cast, pixel: Pixel, settings: Settings) -> None:
    settings.GRAPH_API_URL, settings.BASE_URL = "https://graph.facebook.com", "http://localhost:8000"
    before = snapshot()

    with pytest.raises(Conflict, match="no public https address"):
        services.register_pixel(**_by(cast.ada, pixel))
    with pytest.raises(Conflict, match="no public https address"):
        _all(cast)
    assert snapshot() == before


def test_a_copy_registers_once_an_admin_has_said_so(cast: Cast, pixel: Pixel) -> None:
    hold_restored()
    before = snapshot()
    for person in (cast.milo, cast.ada):
        with pytest.raises(NotAuthorized):
            services.allow_registration(principal=principal_of_user(person))
    assert snapshot() == before

    services.allow_registration(principal=principal_of_user(cast.hanna))

    assert obstacle() is None
    assert [(entry.act, entry.subject) for entry in AuditEntry.objects.all()] == [
        ("allow registration", "https://gateway.example.com")
    ]
    with pytest.raises(Conflict, match="Nothing waits"):
        services.allow_registration(principal=principal_of_user(cast.hanna))
