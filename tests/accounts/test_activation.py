"""Keeping people out and letting them in again."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Membership, RoleLevel, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.activation import activate_user, deactivate_user
from accounts.services.people import add_user_with_role
from common.errors import InvalidInput, NotAuthorized, PortalError
from tests.base import HUB, Cast, graphql, login, snapshot


def test_whoever_is_deactivated_is_out_at_once_and_keeps_the_roles(cast: Cast) -> None:
    browser = login(cast.vic)
    deactivate_user(principal=principal_of_user(cast.hanna), user_id=str(cast.vic.pk))
    assert graphql(browser, HUB, "{ viewer { email } }").refused(401)
    assert Membership.objects.filter(user=cast.vic, tenant=cast.shoes).exists()
    assert AuditEntry.objects.get().act == "deactivate person"


def test_and_is_let_in_again(cast: Cast) -> None:
    deactivate_user(principal=OPERATOR, user_id=str(cast.vic.pk))
    assert activate_user(principal=OPERATOR, user_id=str(cast.vic.pk)).is_active


def test_whoever_never_chose_a_password_is_invited_still(cast: Cast) -> None:
    added = add_user_with_role(
        principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-view-{cast.shoes.pk}"
    )
    deactivate_user(principal=OPERATOR, user_id=str(added.user.pk))
    assert activate_user(principal=OPERATOR, user_id=str(added.user.pk)).status == User.Status.PENDING


@pytest.mark.parametrize("name", ["ada", "hanna"])
def test_the_last_admin_cannot_be_kept_out(cast: Cast, name: str) -> None:
    with pytest.raises(InvalidInput, match="last admin"):
        deactivate_user(principal=OPERATOR, user_id=str(getattr(cast, name).pk))


@pytest.mark.parametrize("actor", ["milo", "ada", "olaf"])
def test_only_the_hosts_admins_keep_people_out(cast: Cast, actor: str) -> None:
    before = snapshot()
    with pytest.raises(PortalError):
        deactivate_user(principal=principal_of_user(getattr(cast, actor)), user_id=str(cast.vic.pk))
    assert snapshot() == before


def test_the_host_keeps_nobody_out_of_an_account_that_is_closed_to_it(cast: Cast) -> None:
    Membership.objects.create(user=cast.bibi, tenant=cast.shoes, level=RoleLevel.VIEW, accepted_at=cast.bibi.created_at)
    with pytest.raises(NotAuthorized):
        deactivate_user(principal=principal_of_user(cast.hanna), user_id=str(cast.bibi.pk))


def test_staff_do_it_in_admin(cast: Cast) -> None:
    login(cast.hanna).post("/admin/accounts/user/", {"action": "deactivate", "_selected_action": [str(cast.vic.pk)]})
    assert not User.objects.get(pk=cast.vic.pk).is_active
