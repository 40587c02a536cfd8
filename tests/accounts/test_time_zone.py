"""An account's time zone: from the first browser, then as people choose it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.principals import principal_of_user
from accounts.services.tenants import propose_time_zone, update_tenant
from common.errors import InvalidInput, NotAuthorized
from common.time_zones import offered, zone_of
from tests.accounts.pages import of, words
from tests.base import Cast, login

pytestmark = pytest.mark.django_db


@pytest.fixture
def shoes(cast: Cast) -> Tenant:
    """Shoes, as an account that nobody has opened yet."""
    Tenant.objects.filter(pk=cast.shoes.pk).update(time_zone="")
    return Tenant.objects.get(pk=cast.shoes.pk)


def zone(account: Tenant) -> str:
    return Tenant.objects.get(pk=account.pk).time_zone


def test_an_account_lives_in_utc_until_a_browser_tells_its_zone(cast: Cast, shoes: Tenant) -> None:
    assert shoes.zone.key == "UTC"
    page = login(cast.vic).get(of(shoes, ""))
    assert b"data-time-zone" not in page.content  # she may not change settings
    page = login(cast.max).get(of(shoes, ""))
    assert b"data-time-zone" in page.content

    answer = login(cast.max).post(of(shoes, "settings/time-zone/browser/"), {"time_zone": "Europe/Madrid"})

    assert answer.status_code == 204
    assert zone(shoes) == "Europe/Madrid"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.changes) == ("max@example.com", {"time_zone": ["", "Europe/Madrid"]})
    assert b"data-time-zone" not in login(cast.max).get(of(shoes, "")).content


def test_the_next_browser_changes_nothing(cast: Cast, shoes: Tenant) -> None:
    for name in ("Europe/Madrid", "Asia/Tokyo"):
        propose_time_zone(principal=principal_of_user(cast.ada), tenant_id=shoes.pk, time_zone=name)

    assert zone(shoes) == "Europe/Madrid"
    assert AuditEntry.objects.count() == 1


def test_whoever_may_change_settings_chooses_another_and_the_page_tells_it(cast: Cast) -> None:
    answer = login(cast.max).post(of(cast.shoes, "settings/time-zone/"), {"time_zone": "Asia/Tokyo"}, follow=True)

    assert "The account's time zone is Asia/Tokyo now." in words(answer)
    assert zone(cast.shoes) == "Asia/Tokyo"
    assert "Time zone Asia/Tokyo" in words(login(cast.vic).get(of(cast.shoes, "settings/")))


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", " ", "../etc/passwd", "Europe/Berlin\0", "Factory", "x" * 65, "\ud800"], ids=repr
)
def test_what_is_no_time_zone_is_refused(cast: Cast, name: str) -> None:
    principal = principal_of_user(cast.ada)
    for service in (update_tenant, propose_time_zone):
        Tenant.objects.filter(pk=cast.shoes.pk).update(time_zone="")
        with pytest.raises(InvalidInput) as refused:
            service(principal=principal, tenant_id=cast.shoes.pk, time_zone=name)
        assert refused.value.message == "timeZone: must be a name of the IANA database, such as Europe/Berlin."

    assert zone(cast.shoes) == ""
    assert not AuditEntry.objects.exists()


def test_the_page_tells_what_is_refused(cast: Cast) -> None:
    answer = login(cast.ada).post(of(cast.shoes, "settings/time-zone/"), {"time_zone": "Mars/Olympus"})

    assert answer.status_code == 400
    assert "Must be a name of the IANA database" in words(answer)


@pytest.mark.parametrize("who", ["vic", "olaf", "vera"])
def test_who_may_not_change_the_account_sets_no_zone(cast: Cast, shoes: Tenant, who: str) -> None:
    with pytest.raises(NotAuthorized):
        propose_time_zone(
            principal=principal_of_user(getattr(cast, who)), tenant_id=shoes.pk, time_zone="Europe/Madrid"
        )
    assert zone(shoes) == ""


def test_old_names_are_taken_and_new_ones_offered() -> None:
    assert {"UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires"} <= set(offered())
    assert "Japan" not in offered()
    assert zone_of("Asia/Calcutta").utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) is not None
    assert zone_of("No/Such").key == zone_of("").key == "UTC"
