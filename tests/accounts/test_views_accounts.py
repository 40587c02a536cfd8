"""The list of accounts: what the host and advertisers find there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleLevel, Tenant, TenantStatus, UsageSnapshot
from tests.accounts.pages import of, words
from tests.base import Cast, login, person, tenant
from tests.factories import MembershipFactory, PixelFactory, TenantFactory, UserFactory


def names(page: object) -> list[str]:
    return [row.record.name for row in page.context["table"].paginated_rows]  # type: ignore[attr-defined]


# --- What the list shows ---------------------------------------------------------------------------------------------


def test_the_host_finds_every_account_with_its_status_and_events(cast: Cast) -> None:
    UsageSnapshot.objects.filter(tenant=cast.shoes).update(total_events_received=1234)
    PixelFactory.create(tenant=cast.shoes)
    PixelFactory.create(tenant=cast.shoes, publishing_enabled=False)

    page = login(cast.hanna).get("/hub/")

    assert names(page) == ["Books", "Other", "Shoes"]
    assert "Active None 1 of 2 active 1,234" in words(page)
    assert f"{cast.books.pk} · manages itself" in words(page)


def test_accounts_that_need_somebody_come_first(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    UsageSnapshot.objects.filter(tenant=cast.other).update(publish_error=True)

    page = login(cast.vera).get("/hub/")

    assert names(page) == ["Other", "Shoes", "Books"]
    assert "1 token rejected" in words(page)
    assert "Publishing fails" in words(page)
    assert names(login(cast.vera).get("/hub/?issues=on")) == ["Other", "Shoes"]


@pytest.mark.parametrize(
    ("sent", "failed", "shown"),
    [(0, 0, "Publishing fails"), (0, 2, "Publishing fails"), (25, 1, "1 of 26 failed"), (25, 0, "Requests repeated")],
)
def test_an_issue_says_what_share_failed_and_leads_to_the_pixels(
    cast: Cast, sent: int, failed: int, shown: str
) -> None:
    UsageSnapshot.objects.filter(tenant=cast.shoes).update(
        publish_error=True, total_events_published=sent, total_events_failed=failed
    )

    page = login(cast.vera).get("/hub/?issues=on")

    assert f"{shown} Shoes" in words(page)
    assert f'href="{of(cast.shoes, "pixels/")}"' in page.content.decode()


def test_a_rejected_token_is_one_issue_not_two(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    UsageSnapshot.objects.filter(tenant=cast.shoes).update(publish_error=True)

    page = login(cast.vera).get("/hub/?issues=on")

    assert "1 token rejected" in words(page)
    assert "Publishing fails" not in words(page)
    assert f"{of(cast.shoes, 'pixels/')}&amp;state=token-rejected" in page.content.decode()


def test_the_pixels_of_an_account_that_manages_itself_stay_its_own(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.books, bad_token=True)

    page = login(cast.hanna).get("/hub/")

    assert "rejected" not in words(page)
    assert names(login(cast.hanna).get("/hub/?issues=on")) == []
    assert of(cast.books, "settings/") in page.content.decode()
    assert f'href="{of(cast.books, "")}"' not in page.content.decode()


def test_the_list_says_when_the_figures_were_counted(cast: Cast) -> None:
    hanna = login(cast.hanna)
    assert "counted anew" not in words(hanna.get("/hub/")), "no account has events"
    UsageSnapshot.objects.filter(tenant=cast.shoes).update(
        total_events_received=7, refreshed_at=datetime(2026, 11, 21, 10, 5, tzinfo=UTC)
    )

    assert "received in the last 24 hours, as of Nov. 21, 2026, 10:05 UTC" in words(hanna.get("/hub/"))


def test_accounts_are_found_by_name_id_and_status(cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.other.pk).update(status=TenantStatus.DEACTIVATED)
    hanna = login(cast.hanna)

    assert names(hanna.get("/hub/?search=SHO")) == ["Shoes"]
    assert names(hanna.get(f"/hub/?search={cast.books.pk}")) == ["Books"]
    assert names(hanna.get("/hub/?status=2")) == ["Other"]
    assert "No account is like that." in words(hanna.get("/hub/?search=nothing"))


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "search=" + "x" * 5000,
        "search=%ED%A0%80",
        "status=9",
        "status=x",
        "issues=maybe",
        "sort=nonsense",
        "sort=-",
        "page=0",
        "page=x",
        "page=" + "9" * 30,
        "per_page=0",
        "per_page=-1",
    ],
)
def test_an_odd_address_shows_a_list_all_the_same(cast: Cast, query: str) -> None:
    assert login(cast.hanna).get(f"/hub/?{query}").status_code == 200


def test_the_list_is_paged_and_can_be_sorted(cast: Cast) -> None:
    TenantFactory.create_batch(30)
    UsageSnapshot.objects.filter(tenant=cast.shoes).update(total_events_received=7)
    hanna = login(cast.hanna)

    assert len(names(hanna.get("/hub/"))) == 25
    assert len(names(hanna.get("/hub/?page=2"))) == 8
    assert names(hanna.get("/hub/?page=77")) == names(hanna.get("/hub/?page=2"))
    assert names(hanna.get("/hub/?sort=events"))[0] == "Shoes"
    assert names(hanna.get("/hub/?sort=-name"))[0] == "Shoes"


def test_the_number_of_queries_does_not_grow_with_the_accounts(cast: Cast) -> None:
    hanna = login(cast.hanna)
    with CaptureQueriesContext(connection) as few:
        hanna.get("/hub/")
    for number in range(20):
        PixelFactory.create(tenant=tenant(f"Further {number}"), bad_token=True)
    with CaptureQueriesContext(connection) as many:
        hanna.get("/hub/")

    assert len(many) == len(few) <= 12


def test_an_empty_instance_says_what_to_do_first(db: None) -> None:
    page = login(person("hanna", None, RoleLevel.ADMIN)).get("/hub/")

    assert "Start with the first account" in words(page)
    assert 'href="/hub/add/"' in page.content.decode()


def test_a_host_user_who_only_views_finds_nothing_to_press(cast: Cast) -> None:
    page = login(cast.vera).get("/hub/")

    assert "Add account" not in words(page)
    assert "Delete" not in words(page)
    assert 'method="post"' not in page.content.decode().partition('id="main"')[2]


# --- Advertisers ---------------------------------------------------------------------------------------------------


def test_an_advertiser_with_one_account_is_taken_there(cast: Cast) -> None:
    assert login(cast.vic).get("/hub/").headers["Location"] == of(cast.shoes, "")


def test_an_advertiser_with_several_accounts_chooses_among_them_alone(cast: Cast) -> None:
    MembershipFactory.create(user=cast.vic, tenant=cast.other, level=RoleLevel.VIEW)

    page = login(cast.vic).get("/hub/")

    assert names(page) == ["Other", "Shoes"]
    assert "Books" not in words(page)


def test_somebody_without_an_account_is_told_whom_to_ask(db: None) -> None:
    assert "You have no account" in words(login(UserFactory.create()).get("/hub/"))


def test_an_invitation_that_waits_opens_nothing_yet(cast: Cast) -> None:
    MembershipFactory.create(user=cast.vic, tenant=cast.other, accepted_at=None)

    assert login(cast.vic).get("/hub/").headers["Location"] == of(cast.shoes, "")


def test_nobody_sees_the_list_before_signing_in(client: Client) -> None:
    assert client.get("/hub/").headers["Location"].startswith("/auth/login/")
