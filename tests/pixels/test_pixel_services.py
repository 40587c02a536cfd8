"""Disconnecting pixels, their switches and their access keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEntry
from accounts.principals import principal_of_user
from common.errors import InvalidInput, NotAuthorized, NotFound
from filters.models import EventFilter
from pixels import services
from pixels.models import Pixel
from tests.base import Cast, snapshot
from tests.factories import EventFilterFactory, PixelFactory

CHANGES: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (services.disconnect_pixel, {}),
    (services.rename_pixel, {"name": "Outlet"}),
    (services.set_receiving, {"status": 0}),
    (services.set_publishing, {"status": 0}),
    (services.regenerate_access_key, {}),
    (services.set_access_key_required, {"required": True}),
]
each_change = pytest.mark.parametrize(("change", "given"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))


@each_change
@pytest.mark.parametrize("pixel_id", ["404", "", "not digits", "nul\0", "\ud800", "1" * 10_000])
def test_an_unknown_pixel_is_not_found(cast: Cast, change: Callable[..., Any], given: Any, pixel_id: str) -> None:
    with pytest.raises(NotFound):
        change(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel_id, **given)


@each_change
def test_another_accounts_pixel_is_not_found_and_stays_as_it_is(
    cast: Cast, change: Callable[..., Any], given: Any
) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    before = snapshot()

    with pytest.raises(NotFound):
        change(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=foreign.pixel_id, **given)

    assert snapshot() == before


@each_change
@pytest.mark.parametrize("who", ["vic", "olaf", "vera"])
def test_those_who_may_not_change_the_account_change_no_pixel(
    cast: Cast, change: Callable[..., Any], given: Any, who: str
) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    before = snapshot()

    with pytest.raises(NotAuthorized):
        change(
            principal=principal_of_user(getattr(cast, who)),
            tenant_id=cast.shoes.pk,
            pixel_id=pixel.pixel_id,
            **given,
        )

    assert snapshot() == before


@each_change
def test_the_host_changes_no_pixel_of_an_account_of_its_own(cast: Cast, change: Callable[..., Any], given: Any) -> None:
    pixel = PixelFactory.create(tenant=cast.books)

    with pytest.raises(NotAuthorized):
        change(principal=principal_of_user(cast.hanna), tenant_id=cast.books.pk, pixel_id=pixel.pixel_id, **given)


@each_change
def test_every_change_is_in_the_audit_log_without_the_key(cast: Cast, change: Callable[..., Any], given: Any) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop")

    change(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id, **given)

    entry = AuditEntry.objects.get()
    assert (entry.tenant_id, entry.actor) == (cast.shoes.pk, "max@example.com")
    assert entry.subject == f"Web shop ({pixel.pixel_id})"
    keys = [pixel.access_key, *Pixel.objects.values_list("access_key", flat=True)]
    assert not any(key in str(entry.changes) for key in keys)


@pytest.mark.parametrize(("name", "stored"), [("Outlet", "Outlet"), ("  Outlet ", "Outlet"), ("", None), ("  ", None)])
def test_a_pixel_is_renamed_and_all_else_stays(cast: Cast, name: str, stored: str | None) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop", bad_token=True)

    services.rename_pixel(
        principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id, name=name
    )

    renamed = Pixel.objects.get()
    assert renamed.name == stored
    assert (renamed.access_token.reveal(), renamed.bad_token) == ("the token of a test's pixel", True)
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.changes) == ("rename pixel", {"name": ["Web shop", stored]})


@pytest.mark.parametrize("name", ["x" * 101, "a\x01b", "nul\0"])
def test_a_name_that_cannot_be_one_changes_nothing(cast: Cast, name: str) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop")
    before = snapshot()

    with pytest.raises(InvalidInput) as refusal:
        services.rename_pixel(
            principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id, name=name
        )

    assert refusal.value.field == "name"
    assert snapshot() == before


def test_a_disconnected_pixel_is_gone_with_its_exceptions(cast: Cast) -> None:
    pixel, other = PixelFactory.create_batch(2, tenant=cast.shoes)
    EventFilterFactory.create(pixel=pixel)
    kept = EventFilterFactory.create(tenant=cast.shoes)

    services.disconnect_pixel(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id)

    assert list(Pixel.objects.all()) == [other]
    assert list(EventFilter.objects.all()) == [kept]


def test_a_disconnected_pixel_can_be_connected_elsewhere(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    services.disconnect_pixel(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id)

    services.connect_pixel(
        principal=principal_of_user(cast.olaf),
        tenant_id=cast.other.pk,
        pixel_id=pixel.pixel_id,
        business_id="1",
        access_token="EAA",
        external_id="",
    )

    assert Pixel.objects.get().tenant == cast.other


@pytest.mark.parametrize(
    ("switch", "field", "off_act", "on_act"),
    [
        (services.set_receiving, "event_bridge_active", "deactivate pixel", "activate pixel"),
        (services.set_publishing, "publishing_enabled", "disable publishing", "enable publishing"),
    ],
)
def test_a_pixel_is_active_while_both_switches_are_on(
    cast: Cast, switch: Callable[..., Pixel], field: str, off_act: str, on_act: str
) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    where: dict[str, Any] = {
        "principal": principal_of_user(cast.max),
        "tenant_id": cast.shoes.pk,
        "pixel_id": pixel.pixel_id,
    }

    off = switch(**where, status=0)
    assert (getattr(off, field), off.active) == (False, False)
    on = switch(**where, status=1)
    assert (getattr(on, field), on.active) == (True, True)

    acts = AuditEntry.objects.order_by("pk").values_list("act", "changes")
    assert list(acts) == [(off_act, {field: [True, False]}), (on_act, {field: [False, True]})]


@pytest.mark.parametrize("switch", [services.set_receiving, services.set_publishing])
@pytest.mark.parametrize("status", [-1, 2, 2**31])
def test_a_switch_knows_0_and_1_only(cast: Cast, switch: Callable[..., Pixel], status: int) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    before = snapshot()

    with pytest.raises(InvalidInput, match=r"^status: "):
        switch(
            principal=principal_of_user(cast.max),
            tenant_id=cast.shoes.pk,
            pixel_id=pixel.pixel_id,
            status=status,
        )

    assert snapshot() == before


def test_a_new_access_key_is_another_one(cast: Cast) -> None:
    old = PixelFactory.create(tenant=cast.shoes)

    pixel = services.regenerate_access_key(
        principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, pixel_id=old.pixel_id
    )

    pixel.refresh_from_db()
    assert pixel.access_key != old.access_key
    assert len(pixel.access_key) == 32


def test_the_access_key_can_be_required_and_no_longer_required(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    where: dict[str, Any] = {
        "principal": principal_of_user(cast.max),
        "tenant_id": cast.shoes.pk,
        "pixel_id": pixel.pixel_id,
    }

    assert services.set_access_key_required(**where, required=True).require_access_key
    assert not services.set_access_key_required(**where, required=False).require_access_key
