"""A person's new password, asked for by an admin."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEntry, Membership, RoleLevel, Tenant, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.passwords import send_password_reset
from accounts.services.people import add_user_with_role, change_role_for_user
from accounts.services.tenants import update_tenant
from common.errors import InvalidInput, NotAuthorized, NotFound
from tests.base import Cast, login, snapshot
from tests.factories import MembershipFactory

NEW = "a quite different sentence"


def reset(by: User, whom: User | str, tenant: Tenant | None) -> str | None:
    user_id = whom if isinstance(whom, str) else str(whom.pk)
    tenant_id = tenant.pk if tenant else None
    return send_password_reset(principal=principal_of_user(by), user_id=user_id, tenant_id=tenant_id).link


def test_the_link_is_mailed_and_lets_the_person_choose(
    cast: Cast, client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        link = reset(cast.ada, cast.vic, cast.shoes)

    assert mail.outbox[0].to == [cast.vic.email]
    assert link is not None
    assert link not in str(mail.outbox[0].body)
    page = client.get(link.removeprefix("http://localhost:8000")).headers["Location"]
    client.post(page, {"password1": NEW, "password2": NEW})
    cast.vic.refresh_from_db()
    assert cast.vic.check_password(NEW)


def test_an_admin_never_sees_the_link_of_somebody_with_other_accounts(cast: Cast) -> None:
    """Else the admin of one account could open the others."""
    MembershipFactory.create(user=cast.vic, tenant=cast.other, level=RoleLevel.VIEW)

    assert reset(cast.ada, cast.vic, cast.shoes) is None


def test_an_offer_does_not_let_an_account_see_the_link(cast: Cast) -> None:
    """Somebody who has no role left is added by the admin of an account: who was never there must not be taken over."""
    Membership.objects.filter(user=cast.olaf).delete()
    add_user_with_role(
        principal=principal_of_user(cast.ada), email=cast.olaf.email, role_name=f"advertiser-view-{cast.shoes.pk}"
    )
    before = snapshot()

    with pytest.raises(InvalidInput, match="has not accepted a role here yet"):
        reset(cast.ada, cast.olaf, cast.shoes)

    assert snapshot() == before


def test_an_offer_of_another_account_does_not_keep_the_link_from_those_who_look_after_the_person(cast: Cast) -> None:
    add_user_with_role(
        principal=principal_of_user(cast.olaf), email=cast.vic.email, role_name=f"advertiser-view-{cast.other.pk}"
    )

    assert reset(cast.ada, cast.vic, cast.shoes) is not None


def test_an_admin_of_an_account_never_sees_the_link_of_the_hosts_people(cast: Cast) -> None:
    MembershipFactory.create(user=cast.hanna, tenant=cast.shoes, level=RoleLevel.VIEW)

    assert reset(cast.ada, cast.hanna, cast.shoes) is None


# --- A link that was shown ends with the right to see it --------------------------------------------------------------


def opens(link: str | None) -> bool:
    """Does the link lead to the form in which a password is chosen?"""
    assert link is not None
    return Client().get(link.removeprefix("http://localhost:8000")).status_code == 302


def test_a_link_that_was_shown_does_not_open_what_another_account_gives_later(cast: Cast) -> None:
    session = login(cast.vic)
    shown = reset(cast.ada, cast.vic, cast.shoes)
    assert opens(shown)
    invited = add_user_with_role(
        principal=principal_of_user(cast.olaf), email=cast.vic.email, role_name=f"advertiser-admin-{cast.other.pk}"
    )
    accepted = session.post(invited.invitation_link.removeprefix("http://localhost:8000"))
    assert accepted.status_code == 302

    assert not opens(shown)


def test_nor_where_its_form_was_open_already(cast: Cast, client: Client) -> None:
    shown = reset(cast.ada, cast.vic, cast.shoes) or ""
    form = client.get(shown.removeprefix("http://localhost:8000")).headers["Location"]
    MembershipFactory.create(user=cast.vic, tenant=cast.other, level=RoleLevel.ADMIN)

    client.post(form, {"password1": NEW, "password2": NEW})

    cast.vic.refresh_from_db()
    assert not cast.vic.check_password(NEW)


def test_an_offer_ends_no_link(cast: Cast) -> None:
    shown = reset(cast.ada, cast.vic, cast.shoes)
    add_user_with_role(
        principal=principal_of_user(cast.olaf), email=cast.vic.email, role_name=f"advertiser-admin-{cast.other.pk}"
    )

    assert opens(shown)


def test_it_ends_with_another_role_of_the_person(cast: Cast) -> None:
    shown = reset(cast.ada, cast.vic, cast.shoes)
    change_role_for_user(principal=OPERATOR, user_id=str(cast.vic.pk), role_to_add=f"advertiser-admin-{cast.shoes.pk}")

    assert not opens(shown)


@pytest.mark.parametrize("level", [None, RoleLevel.MANAGE])
def test_it_ends_where_the_admin_who_saw_it_is_no_admin_any_more(cast: Cast, level: RoleLevel | None) -> None:
    MembershipFactory.create(user=cast.max, tenant=cast.other)
    Membership.objects.filter(user=cast.max, tenant=cast.shoes).update(level=RoleLevel.ADMIN)
    shown = reset(cast.max, cast.vic, cast.shoes)
    assert opens(shown)
    admin = f"advertiser-admin-{cast.shoes.pk}"
    to_add = f"advertiser-{level}-{cast.shoes.pk}" if level else None
    change_role_for_user(principal=OPERATOR, user_id=str(cast.max.pk), role_to_revoke=admin, role_to_add=to_add)

    assert not opens(shown)


def test_it_ends_where_that_admin_is_kept_out(cast: Cast) -> None:
    shown = reset(cast.hanna, cast.vera, None)
    User.objects.filter(pk=cast.hanna.pk).update(status=User.Status.DEACTIVATED)

    assert not opens(shown)


def test_it_ends_for_the_host_where_the_account_becomes_its_own(cast: Cast) -> None:
    shown = reset(cast.hanna, cast.vic, cast.shoes)
    update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, can_partner_manage=False)

    assert not opens(shown)


def test_the_mailed_link_stays_the_persons_own(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        reset(cast.ada, cast.vic, cast.shoes)
    mailed = re.search(r"http://\S+/key/\S+", str(mail.outbox[0].body))
    MembershipFactory.create(user=cast.vic, tenant=cast.other, level=RoleLevel.ADMIN)

    assert mailed
    assert opens(mailed[0])


# --- Who sends it -----------------------------------------------------------------------------------------------------


def test_the_host_sends_it_to_its_own_people(cast: Cast) -> None:
    assert reset(cast.hanna, cast.vera, None) is not None


@pytest.mark.parametrize("who", ["max", "vic", "olaf", "milo", "vera"])
def test_only_admins_send_it(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        reset(getattr(cast, who), cast.vic, cast.shoes)


@pytest.mark.parametrize("who", ["milo", "vera", "ada"])
def test_only_the_hosts_admins_send_it_to_the_hosts_people(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        reset(getattr(cast, who), cast.hanna, None)


def test_a_stranger_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        reset(cast.ada, cast.olaf, cast.shoes)
    with pytest.raises(InvalidInput):
        reset(cast.ada, "x", cast.shoes)


def test_somebody_who_has_not_accepted_yet_is_invited_again_instead(cast: Cast) -> None:
    nora = add_user_with_role(
        principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-view-{cast.shoes.pk}"
    ).user

    with pytest.raises(InvalidInput):
        reset(cast.ada, nora, cast.shoes)


def test_it_is_recorded_without_the_link(cast: Cast) -> None:
    reset(cast.ada, cast.vic, cast.shoes)

    entry = AuditEntry.objects.get(act="send password reset")
    assert (entry.actor, entry.tenant_id) == (cast.ada.email, cast.shoes.pk)
    assert not re.search(r"/key/", f"{entry.subject}{entry.changes}")
