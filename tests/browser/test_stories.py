"""What people come to the portal for, from the first click to the last, with the worker and a stand-in for Meta."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from common.secrets import Secret
from events.delivery.publishing import drain
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.browser.visit import Visit
from tests.factories import PixelFactory

PASSWORD = "correct horse battery staple"
PIXEL_ID = "18904456377094531"


def send(portal: str, pixel: Pixel, **changes: Any) -> None:
    """A shop's server sends an event."""
    event = {
        "event_name": "Purchase",
        "event_time": int(time.time()),
        "action_source": "website",
        "event_source_url": "https://shop.example.com/thanks",
        "user_data": {"em": "ada@example.com", "client_user_agent": "Browser"},
        "custom_data": {"currency": "EUR", "value": 12.5},
        **changes,
    }
    assert httpx.post(f"{portal}/capi/{pixel.pixel_id}/events", json={"data": [event]}).status_code == 202


def connect(page: Page) -> None:
    """Fill the form that connects a pixel."""
    field(page, "Pixel id").fill(PIXEL_ID)
    field(page, "Name").fill("Checkout")
    field(page, "Business id").fill("2840127409433732")
    page.get_by_label("Access token").fill("a-good-token")
    page.get_by_role("button", name="Connect", exact=True).click()


def field(page: Page, label: str) -> Any:
    return page.get_by_role("textbox", name=re.compile(f"^{label}"))


def heading(page: Page) -> Any:
    return page.get_by_role("heading", level=1)


def test_from_an_invitation_to_the_first_event_at_meta(cast: Cast, visit: Open, sandbox: Sandbox) -> None:
    host = visit(cast.hanna)
    host.open("/hub/")
    host.page.get_by_role("link", name="Add account").first.click()
    field(host.page, "Name").fill("Gardens")
    host.page.get_by_role("radio", name=re.compile("manages itself")).check()
    field(host.page, "Email address of its admin").fill("nora@example.com")
    host.page.get_by_role("button", name="Add account").click()
    link = host.page.locator("input[readonly]").input_value()

    nora = visit()
    nora.open(link)
    nora.page.get_by_label("Password").fill(PASSWORD)
    nora.page.get_by_label("The same again").fill(PASSWORD)
    nora.page.get_by_role("button", name="Accept the invitation").click()
    expect(heading(nora.page)).to_have_text("Overview")
    expect(nora.page.get_by_text("Connect your first pixel")).to_be_visible()

    nora.page.get_by_role("main").get_by_role("link", name="Add data source").first.click()
    connect(nora.page)
    expect(nora.page.get_by_text("is connected")).to_be_visible()

    nora.page.get_by_role("button", name="Send", exact=True).click()
    expect(nora.page.get_by_text("on its way to the sandbox")).to_be_visible()
    drain(Pixel.objects.get(pixel_id=PIXEL_ID).pk)
    # Without a reload: the page asks by itself.
    expect(nora.page.get_by_text("Your test event has reached the sandbox.")).to_be_visible()
    assert [event["event_name"] for event in sandbox.received_of(PIXEL_ID)] == ["PageView"]


def test_a_rejected_token_is_repaired(cast: Cast, visit: Open, sandbox: Sandbox, portal: str) -> None:
    ada = visit(cast.ada)
    ada.open("/hub/capig/pixels/connect/", cast.shoes)
    connect(ada.page)
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Checkout")
    pixel = Pixel.objects.get(pixel_id=PIXEL_ID)
    Pixel.objects.update(access_token=Secret.seal("rejected-by-meta"))
    send(portal, pixel)
    drain(pixel.pk)

    ada.open("/hub/capig/", cast.shoes)
    expect(ada.page.get_by_text("Token rejected")).to_be_visible()
    ada.page.get_by_role("link", name="Checkout").click()
    expect(ada.page.get_by_text("Meta answers with error 190")).to_be_visible()
    expect(ada.page.get_by_text("1 event waits to be sent.")).to_be_visible()
    ada.page.get_by_role("link", name="Replace the access token").first.click()
    ada.page.get_by_label("Access token").fill("a-good-token")
    ada.page.get_by_role("button", name="Replace").click()
    drain(pixel.pk)

    ada.open(f"/hub/capig/pixels/{PIXEL_ID}/", cast.shoes)
    expect(ada.page.get_by_text("Receiving and publishing", exact=True)).to_be_visible()
    expect(ada.page.get_by_text("Meta answers with error")).to_have_count(0)
    assert len(sandbox.received_of(PIXEL_ID)) == 1


def test_the_next_event_of_a_blocked_website_is_dropped(cast: Cast, visit: Open, sandbox: Sandbox, portal: str) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    send(portal, pixel)
    drain(pixel.pk)
    ada = visit(cast.ada)
    ada.open("/hub/capig/websites/", cast.shoes)
    ada.page.get_by_role("button", name="Block").first.click()
    ada.page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(ada.page.get_by_role("button", name="Unblock shop.example.com")).to_be_visible()

    send(portal, pixel)
    drain(pixel.pk)

    ada.open(f"/hub/capig/pixels/{pixel.pixel_id}/deliveries/", cast.shoes)
    expect(ada.page.locator("tbody tr").first).to_contain_text("Dropped")
    assert len(sandbox.received_of(pixel.pixel_id)) == 1


def test_an_api_account_is_made_and_its_token_used_until_it_is_deleted(cast: Cast, visit: Open, portal: str) -> None:
    cast.hanna.set_password(PASSWORD)
    cast.hanna.save()
    hanna = visit(cast.hanna)
    hanna.open("/hub/settings/api-accounts/")
    hanna.page.get_by_role("link", name="Add API account").first.click()
    hanna.page.get_by_label("Name").fill("Partner7")
    hanna.page.get_by_label("Your password").fill(PASSWORD)
    hanna.page.get_by_role("button", name="Add API account").click()
    secret = hanna.page.locator("#secret").input_value()

    form = {"grant_type": "client_credentials", "client_id": "Partner7", "client_secret": secret}
    token = httpx.post(f"{portal}/clients/token", data=form).json()["access_token"]
    assert viewer(portal, token) == (200, {"data": {"viewer": {"apiAccount": "Partner7"}}})

    hanna.page.get_by_role("link", name="I have copied the secret").click()
    expect(hanna.page.locator("#secret")).to_have_count(0)
    assert secret not in hanna.page.content()
    row = hanna.page.get_by_role("row", name=re.compile("Partner7"))
    row.get_by_role("button", name=re.compile("Delete")).first.click()
    hanna.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(hanna.page.get_by_role("row", name=re.compile("Partner7"))).to_have_count(0)
    assert viewer(portal, token)[0] == 401


def viewer(portal: str, token: str) -> tuple[int, Any]:
    answer = httpx.post(
        f"{portal}/hub/graphql/",
        json={"query": "{ viewer { apiAccount } }"},
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.status_code, answer.json()


def test_signing_in_in_ones_own_language_or_another(cast: Cast, visit: Open) -> None:
    cast.hanna.set_password(PASSWORD)
    cast.hanna.save()
    hanna = visit(locale="es-ES")
    hanna.open("/hub/")
    page = hanna.page
    expect(page.locator("html")).to_have_attribute("lang", "es")

    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_label("Email").fill("hanna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(heading(page)).to_have_text("Accounts")


def test_a_pixel_is_connected_with_the_keyboard_alone(cast: Cast, visit: Open) -> None:
    ada = visit(cast.ada)
    ada.open("/hub/capig/", cast.shoes)
    keyboard = ada.page.keyboard
    tab_to(ada, "Add data source")
    keyboard.press("Enter")
    expect(heading(ada.page)).to_have_text("Add data source")
    for label, value in (
        ("Pixel id*", PIXEL_ID),
        ("Business id*", "2840127409433732"),
        ("Access token*", "a-good-token"),
    ):
        tab_to(ada, label)
        assert is_focus_visible(ada)
        keyboard.type(value)
    tab_to(ada, "Connect")
    keyboard.press("Enter")

    expect(ada.page.get_by_text("is connected")).to_be_visible()
    assert Pixel.objects.filter(tenant=cast.shoes, pixel_id=PIXEL_ID).exists()


def tab_to(visit: Visit, name: str) -> None:
    """Press Tab until what is called so has the focus; it must come within reach."""
    seen = []
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        seen.append(
            visit.page.evaluate(
                "(e => (e.labels?.length ? e.labels[0] : e).innerText.trim())(document.activeElement || document.body)"
            )
        )
        if seen[-1] == name:
            return
    raise AssertionError(f"{name} is not among {seen}")


def is_focus_visible(visit: Visit) -> bool:
    """Does what has the focus look different from how it looks without?"""
    script = """e => {
        const look = () => { const s = getComputedStyle(e); return s.outline + s.boxShadow + s.borderColor; };
        e.style.transition = "none";
        const focused = look(); e.blur(); const blurred = look(); e.focus(); return focused !== blurred;
    }"""
    return bool(visit.page.evaluate(f"({script})(document.activeElement)"))


def test_staff_see_as_somebody_and_end_it(cast: Cast, visit: Open) -> None:
    hanna = visit(cast.hanna)
    hanna.open(f"/admin/accounts/user/{cast.ada.pk}/change/")
    hanna.page.get_by_role("button", name="ada@example.com").click()
    expect(heading(hanna.page)).to_have_text("Overview")
    expect(hanna.page.get_by_text("You see this as ada@example.com")).to_be_visible()
    assert hanna.violations() == []

    hanna.page.get_by_role("button", name="End", exact=True).click()

    expect(hanna.page).to_have_url(re.compile(f"/admin/accounts/user/{cast.ada.pk}/change/$"))
    hanna.open("/hub/")
    expect(heading(hanna.page)).to_have_text("Accounts")
