"""A pixel is registered with Meta: what its page shows while that happens, and in each state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from events.models import Registration
from events.registration.registrar import hold_restored, instance_id
from events.registration.telling import tell
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.factories import PixelFactory

State = Registration.State

WORDS = "(#200) Requires business_management permission to manage the object."
STATES: dict[str, dict[str, Any]] = {
    "registered": {"state": State.REGISTERED, "endpoint": "https://events.a-very-long-name-of-a-shop.example.com"},
    "waiting": {"failures": 3, "code": "17", "message": WORDS, "due_at": timezone.now() + timedelta(hours=1)},
    "refused": {"state": State.REFUSED, "code": "200", "message": WORDS, "node": "77"},
    "taken": {"state": State.REFUSED, "code": "taken", "message": "https://another.gateway.example.net"},
}


@pytest.fixture
def pixel(cast: Cast, sandbox: Sandbox) -> Pixel:
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop")
    Registration.objects.all().delete()
    return pixel


def test_somebody_registers_a_pixel_and_watches(cast: Cast, pixel: Pixel, sandbox: Sandbox, visit: Open) -> None:
    ada = visit(cast.ada)
    ada.open(reverse("pixels:detail", args=[pixel.pixel_id]), cast.shoes)
    card = ada.page.locator("#registration")
    expect(card).to_contain_text("Not registered")

    card.get_by_role("button", name="Register").click()
    expect(card).to_contain_text("Waiting")
    tell(pixel.pk)
    expect(card).to_contain_text("Meta knows the gateway")  # it is asked for every few seconds
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 1

    card.get_by_role("link", name="What Meta is told").click()
    expect(ada.page.get_by_role("heading", name="What to do by hand")).to_be_visible()
    ada.page.get_by_text("Advanced: register with a token of your own").click()
    expect(ada.page.locator("#command")).to_contain_text("curl -X POST")
    assert ada.violations() == []

    ada.page.locator("#registration").get_by_role("button", name="Unregister").click()
    ada.page.locator("#unregister").get_by_role("button", name="Unregister").click()
    expect(card).to_contain_text("Not registered")


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_wrong_with_the_page_of_any_state(cast: Cast, pixel: Pixel, visit: Open, state: str) -> None:
    instance_id()
    Registration.objects.create(pixel=pixel, told_at=timezone.now(), **STATES[state])
    ada = visit(cast.ada, locale="es-ES", color_scheme="dark")

    for name in ("detail", "registration"):
        ada.open(reverse(f"pixels:{name}", args=[pixel.pixel_id]), cast.shoes)
        for details in ada.page.locator("main details").all():
            details.evaluate("element => { element.open = true }")
        assert ada.violations() == []
        assert ada.faint_icons() == []
        assert ada.wider_than(390) == []
        assert ada.opens_outside(390) == []


def test_a_host_admin_allows_a_copy_to_register(cast: Cast, pixel: Pixel, visit: Open) -> None:
    hold_restored()
    hanna = visit(cast.hanna)
    hanna.open(reverse("host:settings"))
    hanna.page.get_by_role("link", name="Registration with Meta").click()
    expect(hanna.page.locator("main")).to_contain_text("waits for your word")
    assert hanna.violations() == []
    assert hanna.wider_than(390) == []
    assert hanna.opens_outside(390) == []

    hanna.page.get_by_role("button", name="Allow registration").click()
    hanna.page.locator("#allow").get_by_role("button", name="Allow registration").click()

    expect(hanna.page.locator("main")).to_contain_text("It registers the pixels that are connected")
