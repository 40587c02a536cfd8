"""connect_pixel: a pixel comes to an account, or gets a new token there."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.principals import Principal, principal_of_user
from common.errors import InvalidInput, NotAuthorized
from pixels.models import Pixel
from pixels.services import connect_pixel
from tests.base import Cast, snapshot
from tests.factories import PixelFactory


def connect(principal: Principal, tenant: Tenant, **given: Any) -> Pixel:
    defaults = {"pixel_id": "18904456377094531", "business_id": "2840127409433732", "external_id": "633612748410"}
    return connect_pixel(
        **{"principal": principal, "tenant_id": tenant.pk, "access_token": "EAAnew", **defaults, **given}
    )


def test_a_new_pixel_receives_and_publishes_with_the_newest_version(cast: Cast, settings: Any) -> None:
    settings.GRAPH_API_VERSION = "v99.0"

    connect(principal_of_user(cast.max), cast.shoes)

    pixel = Pixel.objects.get()
    assert (pixel.tenant, pixel.pixel_id, pixel.business_id) == (cast.shoes, "18904456377094531", "2840127409433732")
    assert (pixel.external_id, pixel.api_version, pixel.name) == ("633612748410", "v99.0", None)
    assert (pixel.event_bridge_active, pixel.publishing_enabled, pixel.active) == (True, True, True)
    assert pixel.access_token.reveal() == "EAAnew"
    assert len(pixel.access_key) == 32


def test_a_version_and_a_name_are_kept_where_they_are_given(cast: Cast) -> None:
    pixel = connect(principal_of_user(cast.max), cast.shoes, api_version="v14.0", name=" Web shop ")

    pixel.refresh_from_db()
    assert (pixel.api_version, pixel.name) == ("v14.0", "Web shop")


def test_a_new_token_replaces_the_old_one_and_clears_what_meta_said_about_it(cast: Cast) -> None:
    old = PixelFactory.create(
        tenant=cast.shoes, bad_token=True, api_error_code="190.460", api_version="v20.0", name="Web shop"
    )

    connect(principal_of_user(cast.max), cast.shoes, pixel_id=old.pixel_id)

    pixel = Pixel.objects.get()
    assert pixel.pk == old.pk
    assert pixel.access_token.reveal() == "EAAnew"
    assert (pixel.bad_token, pixel.api_error_code) == (False, None)
    assert (pixel.api_version, pixel.name) == ("v20.0", "Web shop")
    assert (pixel.business_id, pixel.external_id) == ("2840127409433732", "633612748410")
    assert pixel.access_key == old.access_key


def test_a_pixel_that_was_turned_off_stays_off(cast: Cast) -> None:
    old = PixelFactory.create(tenant=cast.shoes, event_bridge_active=False, publishing_enabled=False)

    pixel = connect(principal_of_user(cast.max), cast.shoes, pixel_id=old.pixel_id)

    assert (pixel.event_bridge_active, pixel.publishing_enabled, pixel.active) == (False, False, False)


def test_counting_goes_on_where_it_was(cast: Cast) -> None:
    old = PixelFactory.create(tenant=cast.shoes, last_received=timezone.now(), last_published=timezone.now())

    connect(principal_of_user(cast.max), cast.shoes, pixel_id=old.pixel_id)

    pixel = Pixel.objects.get()
    assert (pixel.last_received, pixel.last_published) == (old.last_received, old.last_published)


def test_an_empty_name_takes_the_name_away(cast: Cast) -> None:
    old = PixelFactory.create(tenant=cast.shoes, name="Web shop")

    assert connect(principal_of_user(cast.max), cast.shoes, pixel_id=old.pixel_id, name=" ").name is None


def test_an_external_id_may_be_empty(cast: Cast) -> None:
    assert connect(principal_of_user(cast.max), cast.shoes, external_id="").external_id == ""


def test_a_pixel_of_another_account_is_refused_without_a_word_about_where_it_is(cast: Cast) -> None:
    foreign = PixelFactory.create(tenant=cast.other, name="Secret name")
    before = snapshot()

    with pytest.raises(InvalidInput) as refused:
        connect(principal_of_user(cast.max), cast.shoes, pixel_id=foreign.pixel_id)

    assert refused.value.message == "pixelId: this pixel is connected in another account already."
    assert snapshot() == before


@pytest.mark.parametrize("who", ["vic", "olaf", "vera"])
def test_those_who_may_not_change_the_account_connect_nothing(cast: Cast, who: str) -> None:
    before = snapshot()

    with pytest.raises(NotAuthorized):
        connect(principal_of_user(getattr(cast, who)), cast.shoes)

    assert snapshot() == before


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("pixel_id", "", "pixelId"),
        ("pixel_id", "1" * 21, "pixelId"),
        ("pixel_id", "12\n", "pixelId"),
        ("pixel_id", "١٢", "pixelId"),
        ("business_id", " ", "businessId"),
        ("business_id", "1" * 65, "businessId"),
        ("business_id", "1\u200b2", "businessId"),
        ("access_token", "", "accessToken"),
        ("access_token", "x" * 2_049, "accessToken"),
        ("access_token", "two words", "accessToken"),
        ("access_token", "no\u00a0break", "accessToken"),
        ("access_token", "nul\0", "accessToken"),
        ("access_token", "half \ud800", "accessToken"),
        ("external_id", "x" * 256, "externalId"),
        ("external_id", "nul\0", "externalId"),
        ("api_version", "24.0", "apiVersion"),
        ("api_version", "", "apiVersion"),
        ("api_version", "v24.0/me", "apiVersion"),
        ("api_version", "v24.0\n", "apiVersion"),
        ("name", "x" * 101, "name"),
        ("name", "bell\a", "name"),
    ],
)
def test_a_refusal_names_the_field_repeats_no_secret_and_changes_nothing(
    cast: Cast, field: str, value: str, name: str
) -> None:
    before = snapshot()

    with pytest.raises(InvalidInput) as refused:
        connect(principal_of_user(cast.max), cast.shoes, **{field: value})

    assert refused.value.field == name
    assert refused.value.message.startswith(f"{name}: ")
    assert field != "access_token" or not value or value not in refused.value.message
    assert snapshot() == before


@pytest.mark.parametrize("connected_before", [False, True])
def test_the_audit_log_tells_who_and_what_but_no_secret(cast: Cast, connected_before: bool) -> None:
    if connected_before:
        PixelFactory.create(tenant=cast.shoes, pixel_id="18904456377094531", access_token="EAAold")

    pixel = connect(principal_of_user(cast.max), cast.shoes, name="Web shop")

    entry = AuditEntry.objects.get()
    assert (entry.tenant_id, entry.actor) == (cast.shoes.pk, "max@example.com")
    assert entry.act == ("reconnect pixel" if connected_before else "connect pixel")
    assert entry.subject == "Web shop (18904456377094531)"
    assert entry.changes["name"] == [None, "Web shop"]
    assert entry.changes["access_token"] == (["•••", "•••"] if connected_before else [None, "•••"])
    written = str(entry.changes)
    assert "EAA" not in written
    assert pixel.access_token.sealed not in written
    assert pixel.access_key not in written


def test_a_token_is_replaced_even_where_the_old_one_can_no_longer_be_read(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    Pixel.objects.update(access_token=type(pixel.access_token)("gAAAAAdamaged"))

    connect(principal_of_user(cast.max), cast.shoes, pixel_id=pixel.pixel_id)

    assert Pixel.objects.get().access_token.reveal() == "EAAnew"
