"""The first browser tells the account's time zone, by itself and once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts.models import AuditEntry, Tenant
from accounts.see_as import HISTORY
from tests.base import Cast, login
from tests.browser.conftest import Open


def test_the_first_browser_sets_the_zone_and_the_next_does_not(cast: Cast, visit: Open) -> None:
    Tenant.objects.update(time_zone="")
    for zone in ("Europe/Madrid", "Asia/Tokyo"):
        first = visit(cast.ada, timezone_id=zone)
        first.open("/hub/capig/", cast.shoes)
        first.page.wait_for_load_state("networkidle")

    browser = visit(cast.ada)
    browser.open("/hub/capig/settings/", cast.shoes)

    expect(browser.page.get_by_label("Time zone")).to_have_value("Europe/Madrid")
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_whoever_sees_as_somebody_else_gives_no_zone(cast: Cast) -> None:
    Tenant.objects.update(time_zone="")
    client = login(cast.ada)
    session = client.session
    session[HISTORY] = [str(cast.hanna.pk)]
    session.save()
    page = client.get(f"/hub/capig/?tenant={cast.shoes.pk}").content.decode()

    form = page[page.index("data-time-zone") :].partition("</form>")[0]
    assert "<fieldset" in form  # for which the script looks
