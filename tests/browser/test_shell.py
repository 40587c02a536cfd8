"""What surrounds every page: the menus, by mouse, by keyboard and without a script; and signing in with a passkey."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.base import Cast
from tests.browser.conftest import Open
from tests.factories import TenantFactory

PASSWORD = "correct horse battery staple"


def test_menus_work_by_keyboard(cast: Cast, visit: Open) -> None:
    ada = visit(cast.ada)
    ada.open("/hub/capig/", cast.shoes)
    summary = ada.page.locator(".user-menu > summary")
    entries = ada.page.locator(".user-menu .dropdown-item")
    summary.focus()

    ada.page.keyboard.press("ArrowDown")
    expect(entries.first).to_be_focused()
    ada.page.keyboard.press("ArrowUp")
    expect(entries.last).to_be_focused()
    assert ada.violations() == []
    ada.page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(entries.first).to_be_hidden()
    ada.page.keyboard.press("Enter")
    expect(entries.first).to_be_visible()
    ada.page.locator(".account-selector > summary").focus()
    expect(entries.first).to_be_hidden()


def test_menus_open_without_a_script(cast: Cast, visit: Open) -> None:
    hanna = visit(cast.hanna, java_script_enabled=False)
    hanna.open("/hub/")
    hanna.page.locator(".account-selector > summary").click()
    hanna.page.get_by_role("link", name=cast.shoes.name).first.click()

    expect(hanna.page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.parametrize("script", [True, False])
def test_any_account_is_found_in_the_selector(cast: Cast, visit: Open, script: bool) -> None:
    for number in range(30):
        TenantFactory.create(name=f"Account {number:02}")
    hanna = visit(cast.hanna, java_script_enabled=script)
    hanna.open("/hub/")
    hanna.page.locator(".account-selector > summary").click()
    search = hanna.page.get_by_role("searchbox", name="Search accounts")
    if script:
        assert hanna.violations() == []
        search.press_sequentially("account 29")
        expect(hanna.page.locator("#account-choices a")).to_have_count(1)
    else:
        search.fill("account 29")
        search.press("Enter")
    hanna.page.get_by_role("link", name="Account 29").first.click()

    expect(hanna.page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(hanna.page.locator(".page-pretitle")).to_have_text("Account 29")


def test_the_menu_of_a_phone_opens(cast: Cast, visit: Open) -> None:
    ada = visit(cast.ada, viewport={"width": 390, "height": 844})
    ada.open("/hub/capig/", cast.shoes)
    settings = ada.page.get_by_role("link", name="Account settings")
    expect(settings).to_be_hidden()

    ada.page.get_by_role("button", name="Menu").click()
    settings.click()

    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Account settings")


def test_a_passkey_is_added_and_signs_its_owner_in(cast: Cast, visit: Open) -> None:
    cast.ada.set_password(PASSWORD)
    cast.ada.save()
    ada = visit(cast.ada)
    device = ada.page.context.new_cdp_session(ada.page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    # Who adds a way to sign in proves first that it is them.
    ada.open("/auth/2fa/webauthn/add/")
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Confirm").click()
    ada.page.get_by_role("textbox", name="Name").fill("Laptop")
    ada.page.get_by_role("checkbox", name=re.compile("^Passkey")).check()
    ada.page.get_by_role("button", name="Add").click()
    expect(ada.page.get_by_text("Security key added.")).to_be_visible()
    expect(ada.page.get_by_label("Unused codes")).to_be_visible()
    ada.open("/auth/2fa/webauthn/")
    expect(ada.page.get_by_role("row", name=re.compile("Laptop"))).to_be_visible()

    ada.page.locator(".user-menu > summary").click()
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page).to_have_url(re.compile("/auth/login/"))
    ada.page.get_by_role("button", name="Sign in with a passkey").click()

    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(ada.page.locator(".user-menu > summary")).to_contain_text(cast.ada.email)
