"""What is noticed when something changes below: by the services that change it, in their transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import TenantStatus
from accounts.principals import OPERATOR
from accounts.services.routing import DnsAnswer, DnsOutcome, upsert_ingress_domain
from accounts.services.routing_checks import check_domains
from accounts.services.tenants import update_tenant
from events.models import Registration
from events.registration.edge import Edge
from events.sandbox import Sandbox
from filters.services import update_domain_filter, update_event_filter
from pixels import services
from pixels.models import Pixel
from tests.events.registration.conftest import Sweep, row_of, told
from tests.factories import PixelFactory, TenantFactory

State = Registration.State

pytestmark = pytest.mark.django_db


def _dns(domain: str) -> DnsAnswer:
    return DnsAnswer(DnsOutcome.CNAME, "gateway.example.com")


def _of(pixel: Pixel) -> dict[str, Any]:
    return {"principal": OPERATOR, "tenant_id": pixel.tenant_id, "pixel_id": pixel.pixel_id}


def _account(pixel: Pixel) -> dict[str, Any]:
    return {"principal": OPERATOR, "tenant_id": pixel.tenant_id}


#: What somebody does, and what Meta then knows that it did not know before.
CHANGES: dict[str, tuple[Callable[[Pixel], object], dict[str, Any]]] = {
    "receiving": (lambda pixel: services.set_receiving(**_of(pixel), status=0), {"active": False}),
    "publishing": (
        lambda pixel: services.set_publishing(**_of(pixel), status=0),
        {"capi_publishing_state": "DISABLED"},
    ),
    "key required": (lambda pixel: services.set_access_key_required(**_of(pixel), required=True), {"active": False}),
    "event filter": (
        lambda pixel: update_event_filter(**_account(pixel), event_name="Lead", state="DROP"),
        {"blocked_event_types": ["Lead"]},
    ),
    "event filter of the pixel": (
        lambda pixel: update_event_filter(
            **_account(pixel), event_name="Lead", state="DROP", pixel_ids=[pixel.pixel_id]
        ),
        {"blocked_event_types": ["Lead"]},
    ),
    "website": (
        lambda pixel: update_domain_filter(**_account(pixel), domain="staging.example.com", state="DROP"),
        {"blocked_websites": ["staging.example.com"]},
    ),
    "own domain": (
        lambda pixel: upsert_ingress_domain(
            **_account(pixel), ingress="events.example.org", target_domain="gateway.example.com", look_up=_dns
        ),
        {"endpoint": "https://events.example.org"},
    ),
    "enrichment": (
        lambda pixel: update_tenant(**_account(pixel), event_enrichment=True),
        {"event_enrichment_state": "YES"},
    ),
    "end of the account": (
        lambda pixel: update_tenant(**_account(pixel), status=TenantStatus.DEACTIVATED),
        {"active": False},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told_at_the_next_sweep(sandbox: Sandbox, sweep: Sweep, change: str) -> None:
    act, known = CHANGES[change]
    pixel, other = PixelFactory.create_batch(2)
    sweep()
    (before,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert not known.items() <= before.items()

    act(pixel)
    sweep()

    (after,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert after == before | known
    assert len(told(sandbox)) == 3, "another account's pixel is none of its business"
    assert row_of(other).state == State.REGISTERED


def test_a_filter_of_the_account_is_told_of_each_of_its_pixels(sandbox: Sandbox, sweep: Sweep) -> None:
    tenant = TenantFactory.create()
    pixels = PixelFactory.create_batch(3, tenant=tenant)
    sweep()

    update_event_filter(principal=OPERATOR, tenant_id=tenant.pk, event_name="Lead", state="DROP")
    sweep()

    assert [sandbox.registrations.of_pixel(each.pixel_id)[0]["blocked_event_types"] for each in pixels] == [
        ["Lead"]
    ] * 3


def test_a_domain_that_is_given_up_gives_its_pixels_the_gateways_address(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    upsert_ingress_domain(
        **_account(pixel), ingress="events.example.org", target_domain="gateway.example.com", look_up=_dns
    )
    sweep()
    for day in (1, 2, 3):
        with time_machine.travel(timezone.now() + timedelta(days=day)):
            check_domains(lambda domain: DnsAnswer(DnsOutcome.NO_RECORD))

    sweep(after=timedelta(days=3))

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["endpoint"] == "https://gateway.example.com"


def test_a_change_that_meta_does_not_care_for_costs_meta_no_request(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    sweep()
    before = list(sandbox.registrations.requests)

    services.rename_pixel(**_of(pixel), name="Checkout")
    services.set_browser_websites(**_of(pixel), websites=["example.com"])
    update_event_filter(**_account(pixel), event_name="Lead", state="PUBLISH")
    sweep()

    assert sandbox.registrations.requests == before


def test_a_change_that_is_undone_is_not_told(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    sweep()
    before = list(sandbox.registrations.requests)

    with transaction.atomic():
        services.set_receiving(**_of(pixel), status=0)
        transaction.set_rollback(True)
    sweep()

    assert sandbox.registrations.requests == before


def test_a_change_while_meta_is_being_told_is_told_after(
    sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixel = PixelFactory.create()
    create = Edge.create

    def change_meanwhile(edge: Edge, business_id: str, fields: Mapping[str, Any]) -> str:
        services.set_publishing(**_of(pixel), status=0)
        return create(edge, business_id, fields)

    monkeypatch.setattr(Edge, "create", change_meanwhile)
    sweep()
    assert sandbox.registrations.of_pixel(pixel.pixel_id)[0]["capi_publishing_state"] == "ENABLED"
    sweep()

    assert sandbox.registrations.of_pixel(pixel.pixel_id)[0]["capi_publishing_state"] == "DISABLED"


def test_a_new_token_asks_meta_again(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create(access_token="forbidden")
    sweep()
    assert row_of(pixel).state == State.REFUSED
    services.set_receiving(**_of(pixel), status=0)
    sweep()
    assert len(sandbox.registrations.requests) == 1, "a switch is no reason to ask again"

    services.connect_pixel(**_of(pixel), business_id="1", access_token="new-token")
    assert row_of(pixel).state == State.WAITING
    sweep()

    assert row_of(pixel).state == State.REGISTERED
    assert sandbox.registrations.of_pixel(pixel.pixel_id)[0]["active"] is False


def test_another_business_of_the_pixel_is_told(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create(business_id="1")
    sweep()

    services.connect_pixel(**_of(pixel), business_id="2", access_token="token")
    sweep()

    assert [request.method for request in told(sandbox)] == ["POST", "POST"]


@pytest.mark.parametrize(
    "address",
    [
        "http://gateway.example.com",
        "https://localhost:8000",
        "https://10.0.0.1",
        "https://gateway",
        "https://a.internal",
    ],
)
def test_an_instance_that_browsers_cannot_reach_registers_nothing(
    settings: Settings, sweep: Sweep, address: str
) -> None:
    settings.BASE_URL = address

    PixelFactory.create()
    sweep()

    assert not Registration.objects.exists()


def test_upgrading_registers_nothing(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    Registration.objects.all().delete()  # as a pixel of the previous release has none

    services.set_receiving(**_of(pixel), status=0)
    services.connect_pixel(**_of(pixel), business_id="1", access_token="token")
    sweep(after=timedelta(days=2))

    assert sandbox.registrations.requests == []
