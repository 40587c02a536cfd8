"""Two callers at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.principals import OPERATOR
from common.errors import InvalidInput, PortalError
from pixels import services
from pixels.models import Pixel
from tests.factories import PixelFactory, TenantFactory


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls in threads that start together; what each returned, or the refusal it met."""
    start = Barrier(len(calls), timeout=20)

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except PortalError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def connect(tenant_id: str, token: str = "EAA") -> Pixel:
    return services.connect_pixel(
        principal=OPERATOR,
        tenant_id=tenant_id,
        pixel_id="42",
        business_id="1",
        access_token=token,
        external_id="",
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_that_connect_a_pixel_at_once_one_wins() -> None:
    tenants = TenantFactory.create_batch(2)

    results = at_once(*(lambda tenant=tenant: connect(tenant.pk) for tenant in tenants))

    (winner,) = (result for result in results if isinstance(result, Pixel))
    (refusal,) = (result for result in results if isinstance(result, InvalidInput))
    assert refusal.field == "pixelId"
    assert Pixel.objects.get() == winner


@pytest.mark.django_db(transaction=True)
def test_an_account_that_connects_a_pixel_twice_at_once_has_it_once() -> None:
    tenant = TenantFactory.create()

    results = at_once(*(lambda token=token: connect(tenant.pk, token) for token in ("EAA1", "EAA2")))

    assert {result.pk for result in results} == {Pixel.objects.get().pk}
    assert Pixel.objects.get().access_token.reveal() in {"EAA1", "EAA2"}


@pytest.mark.django_db(transaction=True)
def test_both_switches_set_at_once_are_both_set() -> None:
    pixel = PixelFactory.create()
    where: dict[str, Any] = {
        "principal": OPERATOR,
        "tenant_id": pixel.tenant_id,
        "pixel_id": pixel.pixel_id,
        "status": 0,
    }

    at_once(lambda: services.set_receiving(**where), lambda: services.set_publishing(**where))

    pixel.refresh_from_db()
    assert (pixel.event_bridge_active, pixel.publishing_enabled, pixel.active) == (False, False, False)
