"""The host adds an account, and its admin completes the setup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail

from accounts.models import Membership, RoleLevel, Tenant, TenantStatus, User
from accounts.services.invitations import find_invitation
from tests.accounts.pages import link_in, of, words
from tests.base import Cast, login, snapshot, tenant
from tests.factories import InvitationFactory

ADD = {"name": "Hats", "can_partner_manage": "yes", "admin_email": ""}


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
