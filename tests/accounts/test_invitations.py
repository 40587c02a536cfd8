"""Invitations, from the link to the first sign-in: ``/auth/verify/``."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Invitation, Membership, RoleLevel, TenantStatus, User
from accounts.principals import OPERATOR, principal_of_api_account, principal_of_user
from accounts.services.invitations import ADVERTISER, AGENCY, accept_invitation, send_invitation
from accounts.services.people import add_user_with_role, change_role_for_user
from accounts.services.tenants import create_tenant, update_tenant
from common.errors import Conflict, NotAuthorized, NotFound
from tests.base import HUB, Cast, graphql, login, make_cast
from tests.factories import ApiAccountFactory, MembershipFactory

PASSWORD = "correct horse battery staple"


def invite(cast: Cast, email: str, *, to: str | None = None) -> str:
    """Invite somebody to Shoes, or to the account with the id ``to``; return the link's path."""
    role = f"advertiser-view-{to or cast.shoes.pk}"
    return path_of(add_user_with_role(principal=OPERATOR, email=email, role_name=role).invitation_link)


def path_of(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def accept(client: Client, path: str, password: str = PASSWORD) -> int:
    return client.post(path, {"password": password, "repeated": password}).status_code


def test_the_link_has_the_form_of_the_reference(cast: Cast) -> None:
    added = add_user_with_role(
        principal=OPERATOR, email="Nora+Shop@Example.com", role_name=f"advertiser-view-{cast.shoes.pk}"
    )
    parts = urlsplit(added.invitation_link)
    query = parse_qs(parts.query, strict_parsing=True)
    assert parts.path == "/auth/verify/"
    assert list(query) == ["token", "et", "email"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", query["token"][0])
    assert query["et"] == ["inv"]
    assert query["email"] == ["Nora+Shop@Example.com"]


def test_the_link_is_mailed_after_the_commit(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        path = invite(cast, "nora@example.com")
    assert [message.to for message in mail.outbox] == [["nora@example.com"]]
    assert path in mail.outbox[0].body


def test_a_new_person_chooses_a_password_and_is_in(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    page = client.get(path)
    assert page.status_code == 200
    assert "Shoes" in page.content.decode()

    assert accept(client, path) == 302

    nora = User.objects.get(email="nora@example.com")
    assert nora.status == User.Status.ACTIVATED
    assert nora.check_password(PASSWORD)
    assert graphql(client, HUB, "{ viewer { email tenantIds } }").data == {
        "viewer": {"email": "nora@example.com", "tenantIds": [cast.shoes.pk]}
    }


def test_a_weak_password_is_refused_and_the_link_stays_good(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    assert accept(client, path, password="12345678") == 400
    assert accept(client, path) == 302


def test_two_different_passwords_are_refused(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    page = client.post(path, {"password": PASSWORD, "repeated": PASSWORD + "r"})
    assert page.status_code == 400
    assert "The two passwords differ." in page.content.decode()


def test_the_link_works_once(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    accept(client, path)
    page = Client().get(path)
    assert page.status_code == 404
    assert "used already" in page.content.decode()


def test_the_link_expires_after_24_hours(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    end = Invitation.objects.get().expires_at
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert client.get(path).status_code == 200
    with time_machine.travel(end, tick=False):
        assert "has expired" in client.get(path).content.decode()
        assert accept(client, path) == 404


def test_a_new_invitation_ends_the_old_link(cast: Cast, client: Client) -> None:
    first = invite(cast, "nora@example.com")
    second = send_invitation(
        principal=OPERATOR, email="nora@example.com", user_type=ADVERTISER, tenant_id=cast.shoes.pk
    )
    assert client.get(first).status_code == 404
    assert client.get(path_of(second.link)).status_code == 200


@pytest.mark.parametrize("query", ["", "?token=%00&email=%00", "?token=x&et=inv&email=nora@example.com"])
def test_a_wrong_link_says_what_to_do(cast: Cast, client: Client, query: str) -> None:
    page = client.get(f"/auth/verify/{query}")
    assert page.status_code == 404
    assert "Ask the person who invited you" in page.content.decode()


def test_the_token_opens_nothing_with_another_address(cast: Cast, client: Client) -> None:
    path = invite(cast, "nora@example.com")
    assert client.get(path.replace("nora", "mallory")).status_code == 404


def test_an_account_of_its_own_turns_active_with_its_first_admin(db: None, client: Client) -> None:
    tenant = create_tenant(
        principal=OPERATOR, name="Own", can_partner_manage=False, event_enrichment=False, admin_email="nora@example.com"
    ).tenant
    assert tenant.status == TenantStatus.PENDING
    issued = send_invitation(principal=OPERATOR, email="nora@example.com", user_type=ADVERTISER, tenant_id=tenant.pk)
    accept(client, path_of(issued.link))
    tenant.refresh_from_db()
    assert tenant.status == TenantStatus.ACTIVE


def test_an_invitation_gives_nothing_before_it_is_accepted(cast: Cast) -> None:
    invite(cast, cast.olaf.email)
    assert graphql(cast.olaf, HUB, "{ viewer { tenantIds } }").data == {"viewer": {"tenantIds": [cast.other.pk]}}


def test_an_active_person_must_be_signed_in_to_accept(cast: Cast, client: Client) -> None:
    """Else an account's admin could read the link and take over a stranger's other accounts."""
    path = invite(cast, cast.olaf.email)
    assert "Sign in" in client.get(path).content.decode()
    assert accept(client, path) == 200
    assert not Membership.objects.get(user=cast.olaf, tenant=cast.shoes).accepted_at
    assert not User.objects.get(pk=cast.olaf.pk).check_password(PASSWORD)

    assert login(cast.olaf).post(path).status_code == 302
    assert cast.shoes.pk in principal_of_user(cast.olaf).tenant_levels


def test_whoever_is_signed_in_is_told_what_accepting_does(cast: Cast) -> None:
    ada = login(cast.ada)
    as_a_new_one = ada.get(invite(cast, "nora@example.com", to=cast.books.pk)).content.decode()
    as_another = ada.get(invite(cast, cast.olaf.email)).content.decode()

    assert "You are signed in as ada@example.com. Accepting signs you out, and in as nora@example.com." in as_a_new_one
    assert "You are signed in as ada@example.com. Sign out first." in as_another


def test_one_accounts_link_opens_only_that_accounts_offer(cast: Cast, client: Client) -> None:
    """Two accounts invite the same new address; whoever holds one link must not get in by it everywhere."""
    invite(cast, "nora@example.com", to=cast.books.pk)
    accept(client, invite(cast, "nora@example.com"))
    nora = User.objects.get(email="nora@example.com")
    assert list(principal_of_user(nora).tenant_levels) == [cast.shoes.pk]


def test_an_accepted_invitation_is_not_sent_again(cast: Cast) -> None:
    with pytest.raises(Conflict):
        send_invitation(principal=OPERATOR, email=cast.vic.email, user_type=ADVERTISER, tenant_id=cast.shoes.pk)


def test_an_unknown_person_cannot_be_invited_again(cast: Cast) -> None:
    with pytest.raises(NotFound):
        send_invitation(principal=OPERATOR, email="nobody@example.com", user_type=AGENCY)


def test_the_host_sends_the_first_admins_invitation_again(db: None) -> None:
    robot = principal_of_api_account(ApiAccountFactory.create())
    tenant = create_tenant(
        principal=robot, name="Own", can_partner_manage=False, event_enrichment=False, admin_email="nora@example.com"
    ).tenant
    assert send_invitation(principal=robot, email="nora@example.com", user_type=ADVERTISER, tenant_id=tenant.pk).link


def test_the_host_cannot_send_the_invitation_of_a_later_admin(cast: Cast) -> None:
    """The link would let the host into an account that is closed to it."""
    role = f"advertiser-admin-{cast.books.pk}"
    add_user_with_role(principal=principal_of_user(cast.bea), email="nora@example.com", role_name=role)
    with pytest.raises(NotAuthorized):
        send_invitation(
            principal=principal_of_user(cast.hanna),
            email="nora@example.com",
            user_type=ADVERTISER,
            tenant_id=cast.books.pk,
        )


def test_the_host_learns_nothing_of_the_people_of_an_account_of_its_own(cast: Cast) -> None:
    invite(cast, "nora@example.com", to=cast.books.pk)
    answers = set()
    for email in ("nora@example.com", "nobody@example.com", cast.bea.email):
        with pytest.raises(NotAuthorized) as refused:
            send_invitation(
                principal=principal_of_user(cast.hanna), email=email, user_type=ADVERTISER, tenant_id=cast.books.pk
            )
        answers.add(refused.value.message)
    assert len(answers) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_links_opened_at_once_one_sets_the_password() -> None:
    """Whoever holds one account's link must not race another account's into their own password."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite runs one write after the other")
    cast = make_cast()
    links = [invite(cast, "nora@example.com", to=tenant.pk) for tenant in (cast.shoes, cast.other)]
    tokens = [parse_qs(urlsplit(link).query)["token"][0] for link in links]

    def take_up(token: str) -> bool:
        try:
            accept_invitation(token=token, email="nora@example.com", password=PASSWORD, signed_in=None)
        except NotAuthorized:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take_up, tokens)) == [False, True]


# --- A link that was shown ends with the right to see it --------------------------------------------------------------


def shown(cast: Cast, by: User, level: str = "admin", to: str | None = None) -> str:
    """The path of Nora's invitation, as whoever invites her sees it."""
    role = f"advertiser-{level}-{to or cast.shoes.pk}"
    return path_of(
        add_user_with_role(principal=principal_of_user(by), email="nora@example.com", role_name=role).invitation_link
    )


def test_a_former_admin_does_not_come_back_by_an_invitation_that_they_saw(cast: Cast) -> None:
    MembershipFactory.create(user=cast.max, tenant=cast.other)
    Membership.objects.filter(user=cast.max, tenant=cast.shoes).update(level=RoleLevel.ADMIN)
    path = shown(cast, cast.max)
    assert Client().get(path).status_code == 200
    change_role_for_user(
        principal=OPERATOR, user_id=str(cast.max.pk), role_to_revoke=f"advertiser-admin-{cast.shoes.pk}"
    )

    assert Client().get(path).status_code == 404
    assert accept(Client(), path) == 404
    assert not Membership.objects.accepted().filter(user__email="nora@example.com").exists()


def test_the_mailed_one_stays_good(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        shown(cast, cast.ada)
    User.objects.filter(pk=cast.ada.pk).update(status=User.Status.DEACTIVATED)
    mailed = re.search(r"http://\S+/auth/verify/\S+", str(mail.outbox[0].body))

    assert mailed
    assert Client().get(path_of(mailed[0])).status_code == 200


def test_the_host_does_not_enter_an_account_that_became_its_own(cast: Cast) -> None:
    path = shown(cast, cast.hanna)
    update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, can_partner_manage=False)

    assert Client().get(path).status_code == 404


def test_an_account_opened_for_its_first_admin_lets_them_in(cast: Cast) -> None:
    """Whoever opened it gives them the link: a Standard person of the host, and software."""
    for principal in (principal_of_user(cast.milo), principal_of_api_account(cast.robot)):
        created = create_tenant(
            principal=principal,
            name="Hats",
            can_partner_manage=False,
            event_enrichment=False,
            admin_email=f"{principal.key}@example.com",
        )
        assert accept(Client(), path_of(created.invitation_link or "")) == 302


def test_it_ends_with_the_api_account_that_was_given_it(cast: Cast) -> None:
    robot = principal_of_api_account(cast.robot)
    role = f"advertiser-view-{cast.shoes.pk}"
    path = path_of(add_user_with_role(principal=robot, email="nora@example.com", role_name=role).invitation_link)
    cast.robot.delete()

    assert Client().get(path).status_code == 404
