"""Every page of the portal, on an instance that looks lived in: nothing is wrong with any of them.

Which pages there are, the URLconf says. axe looks at each in English and light, and in Spanish and dark, with messages
of each kind shown; none is wider than a phone, and what opens there opens within it. The fixture ``visit`` sees to it
that no page writes an error to the console or asks another host for anything.
"""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import RoleLevel, Tenant
from pixels.models import Pixel
from pixels.views.acts import ACTS
from tests.addresses import address
from tests.base import person
from tests.browser.conftest import Open
from tests.permissions.test_pages import PAGES, RIGHTS
from tests.permissions.test_pages import Page as Row

#: Language and colours: every rule is held against both of each.
LOOKS = [("en-GB", "light"), ("es-ES", "dark")]
#: The look in which no page may be wider than a phone: Spanish has the longer words.
PHONE = LOOKS[1]
#: Parts of pages, and one more of the pages that ask whether one is sure.
LEFT_OUT = {f"pixels:{act}" for act in ACTS if act != "remove"} | {
    *("pipelines:filter_trial", "pipelines:script_frame"),
    *("pixels:test_event", "pixels:browser_test_result", "accounts:choose"),
}
#: Those about the host, and those about an account.
SHOWN = [page for page in PAGES if page.rights["GET"] and page.name not in LEFT_OUT]
HOST = [page for page in SHOWN if (page.rights["GET"], "-") in RIGHTS]
ACCOUNT = [page for page in SHOWN if page not in HOST]
#: Of somebody who has not signed in, and of signed-in people about themselves.
SIGNED_OUT = ["account_login", "account_reset_password", "account_reset_password_done", "verify_invitation"]
ONESELF = ["account_settings", "mfa_index", "account_change_password", "usersessions_list"]


@pytest.fixture
def account(portal: str, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """The demo's account with the most pixels."""
    monkeypatch.setenv("PORTAL_PASSWORD", "correct horse battery")
    call_command("demo", verbosity=0)
    pixel = Pixel.objects.filter(tenant__can_partner_manage=True).order_by("-tenant__pixels", "pk").first()
    assert pixel is not None
    return pixel.tenant


def addresses(rows: list[Row], account: Tenant) -> list[str]:
    pixel = account.pixels.get(pixel_id=max(account.pixels.values_list("pixel_id", flat=True)))
    member = account.memberships.exclude(level=RoleLevel.ADMIN).first() or account.memberships.first()
    assert member
    host_member = person("hugo", None, RoleLevel.VIEW)
    return [address(row.name, pixel, member.user_id, host_member.pk) for row in rows]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("pages", ["account", "host", "oneself", "nobody"])
def test_nothing_is_wrong_with_any_page(
    account: Tenant, visit: Open, pages: str, look: tuple[str, str], subtests: pytest.Subtests
) -> None:
    locale, theme = look
    visitor = None if pages == "nobody" else person("hanna", None, RoleLevel.ADMIN)
    paths = {
        "account": lambda: addresses(ACCOUNT, account),
        "host": lambda: addresses(HOST, account),
        "oneself": lambda: [reverse(name) for name in ONESELF],
        "nobody": lambda: [reverse(name) for name in SIGNED_OUT],
    }[pages]()
    browser = visit(visitor, locale=locale, color_scheme=theme)
    for path in paths:
        with subtests.test(path):
            browser.open(path, status=404 if path.startswith("/auth/verify") else 200)
            html = browser.page.locator("html")
            assert (html.get_attribute("lang"), html.get_attribute("data-bs-theme")) == (locale[:2], theme)
            browser.show_messages()
            assert browser.violations() == []
            assert browser.faint_icons() == []
            if look == PHONE:
                assert browser.wider_than(390) == []
                assert browser.opens_outside(390) == []


def test_errors_look_like_the_rest(account: Tenant, visit: Open) -> None:
    vic = person("vic", account, RoleLevel.VIEW)
    browser = visit(vic)
    for path, status in (("/nowhere/", 404), ("/hub/settings/users/", 404)):
        browser.open(path, status=status)
        assert browser.violations() == []
    browser.open(reverse("pixels:connect", query={"tenant": account.pk}), status=403)
    assert browser.violations() == []


def test_a_threshold_that_is_refused_is_shown_and_in_focus(account: Tenant, visit: Open) -> None:
    browser = visit(person("max", account, RoleLevel.ADMIN), locale=PHONE[0], color_scheme=PHONE[1])
    browser.open(reverse("alerts:rules", query={"tenant": account.pk}))
    field = browser.page.locator("#threshold-waiting")
    browser.expect_status(400)
    field.evaluate("field => { field.form.noValidate = true; field.value = '20000' }")
    with browser.page.expect_navigation():
        field.press("Enter")

    expect(browser.page.locator("#refusal-waiting")).to_be_visible()
    expect(field).to_be_focused()
    assert browser.violations() == []
    assert browser.wider_than(390) == []


def test_an_account_that_manages_itself_says_so_to_the_host(account: Tenant, visit: Open) -> None:
    own = Tenant.objects.get(can_partner_manage=False)
    host = visit(person("hanna", None, RoleLevel.ADMIN))
    host.open(reverse("pixels:list", query={"tenant": own.pk}), status=403)
    expect(host.page.get_by_role("heading", level=1)).to_have_text("This account manages itself")
    assert host.violations() == []

    host.page.get_by_role("link", name="What you can see of it").click()

    expect(host.page.get_by_text("24-hour events")).to_be_visible()
