"""createOB and updateOB: who says that Meta is not to be told of the gateway's address is heard."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from accounts.principals import OPERATOR
from events.models import Registration, Removal
from events.registration.reads import count_registrations
from events.registration.services import register_pixel, register_pixels
from events.sandbox import Sandbox
from pipelines.ids import DESTINATION, id_of_pixel
from pipelines.models import PixelPipeline
from pipelines.services.configuration import configure_meta
from pipelines.services.pipelines import Connection, connect_pixel_pipeline
from tests.events.registration.conftest import Sweep, told
from tests.factories import PixelFactory, TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def connect(tenant: Tenant, *, registers: bool | None) -> None:
    connection = Connection(pixel_id="4711", business_id="1", access_token="secret", external_id="")
    connect_pixel_pipeline(principal=OPERATOR, tenant_id=tenant.pk, connection=connection, registers=registers)


def update_ob(tenant: Tenant, wanted: bool) -> None:
    configure_meta(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        id=id_of_pixel(DESTINATION, "4711"),
        meta_dataset_id="4711",
        access_token="secret",
        business_id="1",
        update_ob=wanted,
    )


def registered() -> list[str]:
    return list(Registration.objects.values_list("pixel__pixel_id", flat=True))


@pytest.mark.parametrize("registers", [True, None])
def test_a_pixel_is_registered_as_it_is_by_the_other_door(tenant: Tenant, registers: bool | None) -> None:
    connect(tenant, registers=registers)

    assert registered() == ["4711"]


def test_a_pixel_that_shall_not_be_registered_is_not_and_meta_hears_nothing(
    tenant: Tenant, sandbox: Sandbox, sweep: Sweep
) -> None:
    connect(tenant, registers=False)
    sweep()

    assert (registered(), Removal.objects.count(), told(sandbox)) == ([], 0, [])


def test_it_is_taken_back_and_asked_for_later(tenant: Tenant, sandbox: Sandbox, sweep: Sweep) -> None:
    connect(tenant, registers=True)
    sweep()

    update_ob(tenant, False)
    sweep()
    assert registered() == []
    assert [request.method for request in told(sandbox)] == ["POST", "DELETE"]

    update_ob(tenant, True)
    assert registered() == ["4711"]


def test_a_new_token_alone_asks_for_nothing(tenant: Tenant) -> None:
    connect(tenant, registers=False)
    connect(tenant, registers=None)

    assert registered() == []
    assert not PixelPipeline.objects.get().registers


def test_registering_all_pixels_leaves_it_alone(tenant: Tenant) -> None:
    connect(tenant, registers=False)
    Registration.objects.filter(pixel=PixelFactory.create(tenant=tenant)).delete()

    assert count_registrations([tenant]).lacking == 1
    assert register_pixels(principal=OPERATOR, tenant_id=tenant.pk) == 1
    assert "4711" not in registered()


@pytest.mark.parametrize("by_list", [True, False])
def test_whoever_names_it_has_it_registered(tenant: Tenant, by_list: bool) -> None:
    connect(tenant, registers=False)

    if by_list:
        register_pixels(principal=OPERATOR, tenant_id=tenant.pk, pixel_ids=["4711"])
    else:
        register_pixel(principal=OPERATOR, tenant_id=tenant.pk, pixel_id="4711")

    assert registered() == ["4711"]
    assert PixelPipeline.objects.get().registers
