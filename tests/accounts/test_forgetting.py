"""People who have no role left are forgotten, and with them what belongs to nobody any more."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import FORGET_PERSON, MAKE_BACKUP, RESTORE_BACKUP, record
from accounts.models import AccessToken, AuditEntry, Invitation, Membership, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.forgetting import forget_person, prune
from accounts.services.host import UPDATE_HOST
from accounts.services.people import add_user_with_role
from accounts.services.tenants import delete_tenant
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound
from tests.base import Cast, bearer, login, snapshot
from tests.factories import InvitationFactory

PASSWORD = "correct horse battery staple"
NOW = timezone.now()


def forget(by: User, whom: User) -> None:
    forget_person(principal=principal_of_user(by), user_id=str(whom.pk))


def exists(person: User) -> bool:
    return User.objects.filter(pk=person.pk).exists()


def after(**time: float) -> None:
    prune(NOW + timedelta(**time))


# --- By the schedule --------------------------------------------------------------------------------------------------


def test_who_has_no_role_left_is_forgotten_after_a_while(cast: Cast, settings: Settings) -> None:
    settings.FORMER_PEOPLE_RETENTION = 10
    delete_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk)
    after(hours=1)
    after(days=9)
    assert exists(cast.ada)

    after(days=11)

    assert not any(exists(person) for person in (cast.ada, cast.max, cast.vic))
    assert exists(cast.olaf)
    assert {entry.actor for entry in AuditEntry.objects.filter(act="forget person")} == {"schedule"}


def test_a_new_role_begins_the_time_anew(cast: Cast) -> None:
    Membership.objects.filter(user=cast.vic).delete()
    after(hours=1)
    add_user_with_role(principal=OPERATOR, email=cast.vic.email, role_name=f"advertiser-view-{cast.other.pk}")
    after(hours=2)
    cast.vic.refresh_from_db()
    assert cast.vic.roleless_since is None
    Membership.objects.filter(user=cast.vic).delete()

    after(days=20)
    after(days=40)
    assert exists(cast.vic)
    after(days=51)
    assert not exists(cast.vic)


def test_so_does_one_that_is_lost_again_before_the_schedule_comes_by(cast: Cast) -> None:
    Membership.objects.filter(user=cast.vic).delete()
    after(hours=1)
    add_user_with_role(principal=OPERATOR, email=cast.vic.email, role_name=f"advertiser-view-{cast.other.pk}")
    Membership.objects.filter(user=cast.vic).delete()

    after(days=32)

    assert exists(cast.vic)


def test_a_stranger_who_goes_with_an_account_leaves_a_record(cast: Cast) -> None:
    """Else an older backup would bring them back, with a role."""
    role = f"advertiser-view-{cast.shoes.pk}"
    nora = add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=role).user
    delete_tenant(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk)

    assert not exists(nora)
    assert AuditEntry.objects.filter(act="forget person", subject=str(nora.pk), actor=cast.ada.email).exists()


def test_sessions_with_their_addresses_end(cast: Cast) -> None:
    cast.vic.set_password(PASSWORD)
    cast.vic.save()
    Client().post("/auth/login/", {"login": cast.vic.email, "password": PASSWORD})
    assert UserSession.objects.get().ip == "127.0.0.1"

    after(days=13)
    assert UserSession.objects.exists()
    after(days=15)
    assert not UserSession.objects.exists()
    assert not Session.objects.exists()


def test_expired_tokens_and_invitations_go(cast: Cast) -> None:
    bearer(cast.robot, lifetime=timedelta(hours=2))
    waiting: Invitation = InvitationFactory.create()
    after(hours=1)
    assert AccessToken.objects.exists()

    after(days=20)
    assert not AccessToken.objects.exists()
    assert Invitation.objects.exists()  # its page says that it has expired
    after(days=32)
    assert not Invitation.objects.exists()
    assert Membership.objects.filter(pk=waiting.membership_id).exists()


def test_without_its_invitation_an_offer_is_shown_as_expired(cast: Cast) -> None:
    InvitationFactory.create(membership__tenant=cast.shoes)
    Invitation.objects.all().delete()

    page = login(cast.ada).get(f"/hub/capig/users/?tenant={cast.shoes.pk}").content.decode()

    assert "Invited, the link has expired" in page


def test_the_audit_log_is_kept_for_good_unless_a_setting_says_else(cast: Cast, settings: Settings) -> None:
    record(OPERATOR, UPDATE_HOST, "host")
    for act in (MAKE_BACKUP, RESTORE_BACKUP, FORGET_PERSON):
        record(OPERATOR, act, "x")
    after(days=4_000)
    assert AuditEntry.objects.count() == 4

    settings.AUDIT_RETENTION = 365
    after(days=364)
    assert AuditEntry.objects.count() == 4
    after(days=366)
    assert not AuditEntry.objects.filter(act="update host").exists()
    assert AuditEntry.objects.count() == 3  # restoring decides by them


# --- By the host ------------------------------------------------------------------------------------------------------


@pytest.fixture
def former(cast: Cast) -> User:
    Membership.objects.filter(user=cast.bea).delete()  # of an account that is closed to the host
    return cast.bea


def test_the_host_finds_those_who_have_no_role_and_forgets_them(cast: Cast, former: User) -> None:
    hanna = login(cast.hanna)
    assert former.email in hanna.get("/hub/settings/users/former/").content.decode()

    page = hanna.post(f"/hub/settings/people/{former.pk}/forget/", follow=True)

    assert "bea@example.com is forgotten." in page.content.decode()
    assert "Everybody has a role" in page.content.decode()
    assert not exists(former)


def test_admin_finds_and_forgets_them_too(cast: Cast, former: User) -> None:
    hanna = login(cast.hanna)
    assert former.email in hanna.get("/admin/accounts/user/").content.decode()
    assert cast.bruno.email not in hanna.get("/admin/accounts/user/").content.decode()

    hanna.post("/admin/accounts/user/", {"action": "forget", "_selected_action": [str(former.pk)]})

    assert not exists(former)


def test_with_them_goes_what_they_have(cast: Cast, former: User) -> None:
    TOTP.activate(former, "JBSWY3DPEHPK3PXP")
    former.set_password(PASSWORD)
    former.save()
    Authenticator.objects.all().delete()
    Client().post("/auth/login/", {"login": former.email, "password": PASSWORD})
    assert Session.objects.count() == 1

    forget(cast.hanna, former)

    assert not Session.objects.exists()
    assert not UserSession.objects.exists()
    entry = AuditEntry.objects.get(act="forget person")
    assert (entry.actor, entry.subject) == (cast.hanna.email, str(former.pk))


@pytest.mark.parametrize("who", ["milo", "vera", "ada"])
def test_only_the_hosts_admins_forget(cast: Cast, former: User, who: str) -> None:
    before = snapshot()

    with pytest.raises(NotAuthorized):
        forget(getattr(cast, who), former)

    assert snapshot() == before


def test_who_has_a_role_is_not_forgotten(cast: Cast) -> None:
    before = snapshot()

    with pytest.raises(Conflict, match="has a role"):
        forget(cast.hanna, cast.vic)
    with pytest.raises(NotFound):
        forget_person(principal=OPERATOR, user_id=str(uuid4()))
    with pytest.raises(InvalidInput):
        forget_person(principal=OPERATOR, user_id="x")

    assert snapshot() == before
