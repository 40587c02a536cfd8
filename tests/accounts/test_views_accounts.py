"""The list of accounts: what the host and advertisers find there, and what can be done from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, RoleLevel, Tenant, TenantStatus, UsageSnapshot, User
from accounts.services.invitations import find_invitation
from tests.accounts.pages import link_in, of, words
from tests.base import Cast, login, person, snapshot, tenant
from tests.factories import InvitationFactory, MembershipFactory, PixelFactory, TenantFactory, UserFactory

ADD = {"name": "Hats", "can_partner_manage": "yes", "admin_email": ""}


def names(page: object) -> list[str]:
    return [row.record.name for row in page.context["table"].paginated_rows]  # type: ignore[attr-defined]


def status_of(account: Tenant) -> int:
    return Tenant.objects.values_list("status", flat=True).get(pk=account.pk)


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


# --- Adding ----------------------------------------------------------------------------------------------------------


def test_the_host_adds_an_account_that_it_manages(cast: Cast) -> None:
    page = login(cast.hanna).post("/hub/add/", ADD | {"event_enrichment": "on"})

    hats = Tenant.objects.get(name="Hats")
    assert (hats.status, hats.can_partner_manage, hats.event_enrichment) == (TenantStatus.ACTIVE, True, True)
    assert "Hats is added" in words(page)
    assert of(hats, "") in page.content.decode()


def test_the_admin_of_a_new_account_of_its_own_gets_a_link(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    hanna = login(cast.hanna)
    with django_capture_on_commit_callbacks(execute=True):
        page = hanna.post("/hub/add/", ADD | {"can_partner_manage": "no", "admin_email": "Ines@example.com"})

    hats = Tenant.objects.get(name="Hats")
    assert (hats.status, hats.can_partner_manage) == (TenantStatus.PENDING, False)
    query = parse_qs(urlsplit(link_in(page)).query)
    invitation = find_invitation(token=query["token"][0], email=query["email"][0])
    assert (invitation.membership.tenant, invitation.membership.level) == (hats, RoleLevel.ADMIN)
    assert [message.to for message in mail.outbox] == [["ines@example.com"]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x07b"}, "Must not contain control characters."),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"can_partner_manage": "no"}, "Name the admin of an account that manages itself."),
        ({"can_partner_manage": "maybe"}, "Select a valid choice."),
        ({"admin_email": "ines"}, "Enter a valid email address."),
    ],
)
def test_a_refused_account_keeps_what_was_typed(cast: Cast, wrong: dict[str, str], said: str) -> None:
    hanna, before = login(cast.hanna), snapshot()
    typed = ADD | wrong

    page = hanna.post("/hub/add/", typed)

    assert page.status_code == 400
    assert said in words(page)
    assert {name: page.context["form"][name].value() for name in typed} == typed
    assert snapshot() == before


def test_a_second_click_adds_no_second_account(cast: Cast) -> None:
    hanna = login(cast.hanna)
    first, second = hanna.post("/hub/add/", ADD), hanna.post("/hub/add/", ADD, follow=True)

    assert first.status_code == second.status_code == 200
    assert "This form was sent already" in words(second)
    assert Tenant.objects.filter(name="Hats").count() == 1


def test_another_form_adds_another_account(cast: Cast) -> None:
    hanna = login(cast.hanna)
    for token in ("a", "b"):  # every form that is drawn has its own
        hanna.post("/hub/add/", ADD | {"csrfmiddlewaretoken": token})

    assert Tenant.objects.filter(name="Hats").count() == 2


def test_the_hosts_standard_people_add_and_delete_accounts(cast: Cast) -> None:
    milo = login(cast.milo)
    assert "Add account" in words(milo.get("/hub/"))

    milo.post("/hub/add/", ADD)
    hats = Tenant.objects.get(name="Hats")
    page = milo.post(of(hats, "settings/delete/"), {"typed": "Hats"}, follow=True)

    assert "The account Hats is deleted." in words(page)
    assert not Tenant.objects.filter(name="Hats").exists()


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("ada", 404), ("max", 404), ("olaf", 404)])
def test_others_add_no_accounts(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.get("/hub/add/").status_code == status
    assert client.post("/hub/add/", ADD).status_code == status
    assert snapshot() == before


# --- Deactivating, deleting ------------------------------------------------------------------------------------------


def test_the_host_deactivates_an_account_and_activates_it_again(cast: Cast) -> None:
    milo = login(cast.milo)

    page = milo.post(of(cast.shoes, "settings/status/"), {"active": "no"}, follow=True)
    assert status_of(cast.shoes) == TenantStatus.DEACTIVATED
    assert "Shoes is deactivated: it receives and publishes no events." in words(page)

    milo.post(of(cast.shoes, "settings/status/"), {"active": "yes"})
    assert status_of(cast.shoes) == TenantStatus.ACTIVE


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("ada", 403), ("vic", 403), ("olaf", 404)])
def test_others_do_not_deactivate_accounts(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(cast.shoes, "settings/status/"), {"active": "no"}).status_code == status
    assert snapshot() == before


def test_the_host_does_not_deactivate_an_account_that_manages_itself(cast: Cast) -> None:
    hanna, before = login(cast.hanna), snapshot()

    assert hanna.post(of(cast.books, "settings/status/"), {"active": "no"}).status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize("who", ["hanna", "bea"])
def test_an_account_is_deleted_once_its_name_is_typed(cast: Cast, who: str) -> None:
    page = login(getattr(cast, who)).post(of(cast.books, "settings/delete/"), {"typed": " Books "}, follow=True)

    assert not Tenant.objects.filter(pk=cast.books.pk).exists()
    assert "The account Books is deleted." in words(page)


@pytest.mark.parametrize("typed", ["", "books", "Book"])
def test_another_name_deletes_nothing(cast: Cast, typed: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(of(cast.shoes, "settings/delete/"), {"typed": typed}, follow=True)

    assert "What you typed is not the account's name. Nothing was deleted." in words(page)
    assert snapshot() == before


@pytest.mark.parametrize("who", ["milo", "max", "ada"])
def test_admins_and_standard_people_delete_accounts(cast: Cast, who: str) -> None:
    login(getattr(cast, who)).post(of(cast.shoes, "settings/delete/"), {"typed": "Shoes"})

    assert not Tenant.objects.filter(pk=cast.shoes.pk).exists()


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("vic", 403), ("olaf", 404)])
def test_others_delete_no_account(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(cast.shoes, "settings/delete/"), {"typed": "Shoes"}).status_code == status
    assert snapshot() == before


# --- Completing the setup --------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(cast: Cast) -> Tenant:
    """An account of its own whose admin has not come yet."""
    hats = tenant("Hats", can_partner_manage=False, status=TenantStatus.PENDING)
    InvitationFactory.create(membership__tenant=hats, membership__user__email="ines@example.com")
    return hats


def test_the_host_makes_a_new_link_for_an_account_that_waits(
    cast: Cast, waiting: Tenant, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    hanna = login(cast.hanna)
    assert "Complete setup" in words(hanna.get("/hub/"))

    with django_capture_on_commit_callbacks(execute=True):
        page = hanna.post(of(waiting, "settings/setup/"), {"email": "ines@example.com"})

    token = parse_qs(urlsplit(link_in(page)).query)["token"][0]
    assert find_invitation(token=token, email="ines@example.com").membership.tenant == waiting
    assert [message.to for message in mail.outbox] == [["ines@example.com"]]


def test_the_host_does_not_learn_who_the_admin_is(cast: Cast, waiting: Tenant) -> None:
    hanna = login(cast.hanna)

    for page in ("settings/", "settings/setup/"):
        assert "ines@example.com" not in hanna.get(of(waiting, page)).content.decode()


def test_another_address_gets_no_link(cast: Cast, waiting: Tenant) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(of(waiting, "settings/setup/"), {"email": "somebody@example.com"})

    assert page.status_code == 400
    assert "No admin with this address is waiting here." in words(page)
    assert page.context["form"]["email"].value() == "somebody@example.com"
    assert snapshot() == before


def test_an_account_that_is_set_up_needs_no_link(cast: Cast) -> None:
    page = login(cast.hanna).post(of(cast.books, "settings/setup/"), {"email": cast.bea.email})

    assert page.status_code in (400, 403)
    assert Membership.objects.filter(tenant=cast.books, invitation__isnull=False).count() == 0


@pytest.mark.parametrize(("who", "status"), [("milo", 403), ("vera", 403), ("olaf", 404), ("ada", 404)])
def test_others_make_no_link(cast: Cast, waiting: Tenant, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(waiting, "settings/setup/"), {"email": "ines@example.com"}).status_code == status
    assert snapshot() == before
    assert User.objects.get(email="ines@example.com").status == User.Status.PENDING
