"""People, roles and accounts that two callers change at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import AccessToken, ApiAccount, Membership, RoleLevel, Tenant, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.activation import deactivate_user
from accounts.services.api_accounts import create_api_account, delete_api_account
from accounts.services.invitations import accept_invitation
from accounts.services.people import add_user_with_role, change_role_for_user
from accounts.services.tenants import delete_tenant, update_tenant
from common.errors import Conflict, NotAuthorized, NotFound, PortalError
from tests.base import HUB, bearer, graphql, make_cast, person, tenant
from tests.factories import ApiAccountFactory
from tests.pixels.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3


def change(actor: User, other: User, **roles: str) -> User:
    return change_role_for_user(principal=principal_of_user(actor), user_id=str(other.pk), **roles)


def admins(account: Tenant | None) -> int:
    return Membership.objects.filter(tenant=account, level=RoleLevel.ADMIN).count()


@pytest.mark.parametrize("_", range(ROUNDS))
def test_of_admins_who_remove_and_demote_each_other_at_once_one_stays(_: int) -> None:
    shoes = tenant("Shoes")
    admin, view = f"advertiser-admin-{shoes.pk}", f"advertiser-view-{shoes.pk}"
    ada, zoe, eve = (person(name, shoes, RoleLevel.ADMIN) for name in ("ada", "zoe", "eve"))

    at_once(
        lambda: change(ada, zoe, role_to_revoke=admin),
        lambda: change(zoe, eve, role_to_revoke=admin, role_to_add=view),
        lambda: change(eve, ada, role_to_add=view),
        lambda: change(ada, eve, role_to_revoke=admin),
    )

    assert admins(shoes) >= 1


def test_of_the_hosts_admins_one_stays_too() -> None:
    hanna, hugo = (person(name, None, RoleLevel.ADMIN) for name in ("hanna", "hugo"))

    at_once(
        lambda: change(hanna, hugo, role_to_revoke="agency-admin"),
        lambda: change(hugo, hanna, role_to_revoke="agency-admin"),
    )

    assert admins(None) == 1


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_person_who_is_demoted_and_removed_at_once_has_one_role_or_none(_: int) -> None:
    shoes = tenant("Shoes")
    manage, view = f"advertiser-manage-{shoes.pk}", f"advertiser-view-{shoes.pk}"
    ada, max_ = person("ada", shoes, RoleLevel.ADMIN), person("max", shoes, RoleLevel.MANAGE)

    removed, demoted = at_once(
        lambda: change(ada, max_, role_to_revoke=manage),
        lambda: change(ada, max_, role_to_revoke=manage, role_to_add=view),
    )

    (refusal,) = (each for each in (removed, demoted) if isinstance(each, PortalError))
    assert isinstance(refusal, NotFound)
    left = list(Membership.objects.filter(user=max_).values_list("level", flat=True))
    assert left == ([RoleLevel.VIEW] if refusal is removed else [])


def test_who_is_invited_twice_at_once_has_one_role() -> None:
    cast = make_cast()

    def invite(level: str) -> Any:
        return add_user_with_role(
            principal=principal_of_user(cast.ada),
            email="nora@example.com",
            role_name=f"advertiser-{level}-{cast.shoes.pk}",
        )

    results = at_once(lambda: invite("view"), lambda: invite("manage"))

    (refusal,) = (each for each in results if isinstance(each, PortalError))
    assert isinstance(refusal, Conflict)
    assert Membership.objects.filter(user__email="nora@example.com").count() == 1


def test_an_invitation_is_taken_up_once() -> None:
    cast = make_cast()
    added = add_user_with_role(
        principal=principal_of_user(cast.ada),
        email="nora@example.com",
        role_name=f"advertiser-view-{cast.shoes.pk}",
    )
    token = parse_qs(urlsplit(added.invitation_link).query)["token"][0]
    passwords = ["correct horse battery", "staple correct horse"]

    def take_up(password: str) -> Membership:
        return accept_invitation(token=token, email="nora@example.com", password=password, signed_in=None)

    results = at_once(*(lambda password=password: take_up(password) for password in passwords))

    assert sorted(isinstance(each, NotFound) for each in results) == [False, True]
    nora = User.objects.get(email="nora@example.com")
    winner = next(password for password, each in zip(passwords, results, strict=True) if isinstance(each, Membership))
    assert nora.check_password(winner)


@pytest.mark.parametrize("_", range(ROUNDS))
def test_of_two_invitations_of_a_new_person_opened_at_once_one_asks_to_sign_in(_: int) -> None:
    shoes, books = tenant("Shoes"), tenant("Books")
    links = [
        add_user_with_role(
            principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-view-{place.pk}"
        ).invitation_link
        for place in (shoes, books)
    ]

    def accept(link: str) -> int:
        client = Client(raise_request_exception=False)
        password = "correct horse battery staple"
        return client.post(link, {"password": password, "repeated": password}).status_code

    statuses = at_once(*(lambda link=link: accept(link) for link in links))

    assert sorted(statuses) == [200, 302]
    assert Membership.objects.accepted().filter(user__email="nora@example.com").count() == 1


def test_an_account_that_is_deleted_while_it_is_changed_is_gone() -> None:
    cast = make_cast()
    ada = principal_of_user(cast.ada)
    role = f"advertiser-view-{cast.shoes.pk}"

    deleted, *others = at_once(
        lambda: delete_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk),
        lambda: update_tenant(principal=ada, tenant_id=cast.shoes.pk, name="Boots"),
        lambda: add_user_with_role(principal=ada, email="nora@example.com", role_name=role),
    )

    assert deleted is None
    assert all(not isinstance(each, Exception) or isinstance(each, NotAuthorized | NotFound) for each in others)
    assert not Tenant.objects.filter(pk=cast.shoes.pk).exists()
    # Nobody is kept who has no role and never signed in.
    assert not User.objects.filter(memberships=None, status=User.Status.PENDING).exists()


def test_an_api_account_that_is_deleted_while_it_asks_is_let_in_or_refused() -> None:
    tenant("Shoes")
    robot = ApiAccountFactory.create(name="Other")
    issued = create_api_account(principal=OPERATOR, name="Robot")
    tokens = [bearer(issued.api_account) for _ in range(2)]
    document = "{ tenants { edges { node { name } } } }"

    def sign_in() -> int:
        form = {"grant_type": "client_credentials", "client_id": "Robot", "client_secret": issued.secret}
        return Client().post("/clients/token", form).status_code

    _, *statuses = at_once(
        lambda: delete_api_account(principal=OPERATOR, name="Robot"),
        *(lambda token=token: graphql(token, HUB, document).status for token in tokens),
        sign_in,
        sign_in,
    )

    assert set(statuses) <= {200, 401}
    assert list(ApiAccount.objects.all()) == [robot]
    assert not AccessToken.objects.exists()
    assert graphql(tokens[0], HUB, document).status == 401


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, for all writers")
def test_the_host_keeps_nobody_out_of_an_account_that_becomes_its_own_meanwhile() -> None:
    """Whoever waits for the account's lock judges by what it is then."""
    cast = make_cast()
    host = principal_of_user(cast.hanna)

    def deactivate() -> object:
        try:
            return deactivate_user(principal=host, user_id=str(cast.vic.pk))
        except PortalError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            update_tenant(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, can_partner_manage=False)
            waiting = pool.submit(deactivate)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)

        assert isinstance(waiting.result(timeout=20), NotAuthorized)
    cast.vic.refresh_from_db()
    assert cast.vic.is_active
