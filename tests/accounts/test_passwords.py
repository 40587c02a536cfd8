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
from accounts.services.people import add_user_with_role
from common.errors import InvalidInput, NotAuthorized, NotFound
from tests.base import Cast, snapshot
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
