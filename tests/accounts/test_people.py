"""People and their roles, through the services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import AuditEntry, Membership, RoleLevel, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.reads import read_person
from accounts.services.people import add_user_with_role, change_role_for_user, create_user
from common.errors import Conflict, InvalidInput, NotFound, PortalError
from common.graphql.selection import Selection
from tests.base import HUB, Cast, graphql, make_cast, person


def level(user: User, cast: Cast) -> str | None:
    return Membership.objects.filter(user=user, tenant=cast.shoes).values_list("level", flat=True).first()


def test_an_address_is_kept_in_lower_case(cast: Cast) -> None:
    added = add_user_with_role(
        principal=OPERATOR, email="Nora@Example.COM", role_name=f"advertiser-view-{cast.shoes.pk}"
    )
    assert added.user.email == "nora@example.com"
    assert not added.existed


def test_a_person_of_another_account_exists_already(cast: Cast) -> None:
    added = add_user_with_role(
        principal=principal_of_user(cast.ada), email="OLAF@example.com", role_name=f"advertiser-view-{cast.shoes.pk}"
    )
    assert added.existed
    assert added.user == cast.olaf


def test_nobody_has_two_roles_in_one_account(cast: Cast) -> None:
    with pytest.raises(Conflict):
        add_user_with_role(principal=OPERATOR, email=cast.vic.email, role_name=f"advertiser-admin-{cast.shoes.pk}")


@pytest.mark.parametrize("action", ["manage", "user", "standard"])
def test_the_references_three_names_of_the_middle_role_mean_the_same(cast: Cast, action: str) -> None:
    added = add_user_with_role(
        principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-{action}-{cast.shoes.pk}"
    )
    roles = read_person(OPERATOR, added.user, Selection()).roles
    assert [role.name for role in roles] == [f"advertiser-manage-{cast.shoes.pk}"]


@pytest.mark.parametrize(
    "role",
    [
        "",
        "admin",
        "agency-owner",
        "agency-admin-hU2koC34",
        "advertiser-admin",
        "advertiser-admin-short",
        "AGENCY-admin",
    ],
)
def test_an_unknown_role_is_not_found(cast: Cast, role: str) -> None:
    with pytest.raises(NotFound):
        add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=role)


def test_a_role_changes(cast: Cast) -> None:
    change_role_for_user(
        principal=principal_of_user(cast.ada),
        user_id=str(cast.vic.pk),
        role_to_revoke=f"advertiser-view-{cast.shoes.pk}",
        role_to_add=f"advertiser-manage-{cast.shoes.pk}",
    )
    assert level(cast.vic, cast) == RoleLevel.MANAGE
    assert AuditEntry.objects.get().changes == {"role": ["view", "manage"]}


def test_a_role_alone_replaces_the_one_there(cast: Cast) -> None:
    change_role_for_user(principal=OPERATOR, user_id=str(cast.vic.pk), role_to_add=f"advertiser-manage-{cast.shoes.pk}")
    assert level(cast.vic, cast) == RoleLevel.MANAGE


def test_a_role_is_revoked(cast: Cast) -> None:
    change_role_for_user(
        principal=OPERATOR, user_id=str(cast.vic.pk), role_to_revoke=f"advertiser-view-{cast.shoes.pk}"
    )
    assert level(cast.vic, cast) is None


def test_a_role_that_the_person_does_not_have_cannot_be_revoked(cast: Cast) -> None:
    with pytest.raises(NotFound):
        change_role_for_user(
            principal=OPERATOR, user_id=str(cast.vic.pk), role_to_revoke=f"advertiser-admin-{cast.shoes.pk}"
        )


@pytest.mark.parametrize("role_to_add", [None, "view", "manage"])
def test_the_last_admin_can_be_neither_removed_nor_demoted(cast: Cast, role_to_add: str | None) -> None:
    with pytest.raises(InvalidInput, match="last admin"):
        change_role_for_user(
            principal=OPERATOR,
            user_id=str(cast.ada.pk),
            role_to_revoke=f"advertiser-admin-{cast.shoes.pk}",
            role_to_add=f"advertiser-{role_to_add}-{cast.shoes.pk}" if role_to_add else None,
        )
    assert level(cast.ada, cast) == RoleLevel.ADMIN


def test_the_last_admin_of_the_host_stays(cast: Cast) -> None:
    with pytest.raises(InvalidInput, match="last admin"):
        change_role_for_user(principal=OPERATOR, user_id=str(cast.hanna.pk), role_to_revoke="agency-admin")


def test_a_deactivated_admin_does_not_count_as_one(cast: Cast) -> None:
    person("gone", cast.shoes, RoleLevel.ADMIN, status=User.Status.DEACTIVATED)
    with pytest.raises(InvalidInput, match="last admin"):
        change_role_for_user(
            principal=OPERATOR, user_id=str(cast.ada.pk), role_to_revoke=f"advertiser-admin-{cast.shoes.pk}"
        )


def test_an_admin_who_was_only_invited_does_not_count_as_one(cast: Cast) -> None:
    add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-admin-{cast.shoes.pk}")
    with pytest.raises(InvalidInput, match="last admin"):
        change_role_for_user(
            principal=OPERATOR, user_id=str(cast.ada.pk), role_to_revoke=f"advertiser-admin-{cast.shoes.pk}"
        )


def test_an_invited_admin_can_be_uninvited(cast: Cast) -> None:
    role = f"advertiser-admin-{cast.shoes.pk}"
    added = add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=role)
    change_role_for_user(principal=OPERATOR, user_id=str(added.user.pk), role_to_revoke=role)
    assert level(added.user, cast) is None


def test_one_of_two_admins_may_leave(cast: Cast) -> None:
    person("zoe", cast.shoes, RoleLevel.ADMIN)
    change_role_for_user(
        principal=principal_of_user(cast.ada),
        user_id=str(cast.ada.pk),
        role_to_revoke=f"advertiser-admin-{cast.shoes.pk}",
    )
    assert level(cast.ada, cast) is None


def test_someone_invited_who_loses_the_only_role_is_forgotten(cast: Cast) -> None:
    role = f"advertiser-view-{cast.shoes.pk}"
    added = add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=role)
    change_role_for_user(principal=OPERATOR, user_id=str(added.user.pk), role_to_revoke=role)
    assert not User.objects.filter(email="nora@example.com").exists()


def test_a_person_of_a_foreign_account_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        change_role_for_user(
            principal=principal_of_user(cast.ada),
            user_id=str(cast.olaf.pk),
            role_to_add=f"advertiser-view-{cast.shoes.pk}",
        )


def test_the_host_sees_of_a_person_only_the_accounts_that_are_open_to_it(cast: Cast) -> None:
    """Bea's account is closed to the host, so it must not show up beside her role in Shoes."""
    Membership.objects.create(user=cast.bea, tenant=cast.shoes, level=RoleLevel.VIEW, accepted_at=cast.bea.created_at)
    document = """query($id: String!) { tenant(tenantId: $id) { users {
        email defaultTenantId roles { name } tenants { id } } } }"""
    people = graphql(cast.robot, HUB, document, {"id": cast.shoes.pk}).data["tenant"]["users"]
    assert {
        "email": cast.bea.email,
        "defaultTenantId": None,
        "roles": [{"name": f"advertiser-view-{cast.shoes.pk}"}],
        "tenants": [{"id": cast.shoes.pk}],
    } in people


def test_the_operator_makes_a_person_who_can_sign_in(db: None) -> None:
    made = create_user(
        principal=OPERATOR, email="nora@example.com", role_name="agency-admin", password="correct horse battery"
    )
    assert made.invitation_link is None
    assert made.user.is_staff


def test_the_operator_does_not_overwrite_a_password(cast: Cast) -> None:
    with pytest.raises(Conflict):
        create_user(
            principal=OPERATOR, email=cast.olaf.email, role_name="agency-admin", password="correct horse battery"
        )


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_leave_one() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite runs one write after the other")
    cast = make_cast()
    zoe = person("zoe", cast.shoes, RoleLevel.ADMIN)

    def remove(pair: tuple[User, User]) -> None:
        actor, other = pair
        try:
            change_role_for_user(
                principal=principal_of_user(actor),
                user_id=str(other.pk),
                role_to_revoke=f"advertiser-admin-{cast.shoes.pk}",
            )
        except PortalError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(remove, [(cast.ada, zoe), (zoe, cast.ada)]))
    assert Membership.objects.filter(tenant=cast.shoes, level=RoleLevel.ADMIN).count() == 1
