"""Opening, changing and deleting accounts, through the services."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, Membership, Tenant, TenantStatus, User
from accounts.models.tenant import new_tenant_id
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.tenants import create_tenant, delete_tenant, update_tenant
from common.errors import Conflict, InvalidInput, NotAuthorized
from common.validation import clean_text
from tests.base import HUB, Cast, graphql, login
from tests.factories import PixelFactory, TenantFactory


def test_a_managed_account_starts_active(db: None) -> None:
    tenant = create_tenant(principal=OPERATOR, name="  Shoes ", can_partner_manage=True, event_enrichment=True).tenant
    assert (tenant.name, tenant.status, tenant.event_enrichment) == ("Shoes", TenantStatus.ACTIVE, True)
    assert re.fullmatch(r"[A-Za-z0-9]{8}", tenant.pk)


def test_an_account_of_its_own_waits_for_its_admin(db: None) -> None:
    tenant = create_tenant(
        principal=OPERATOR, name="Own", can_partner_manage=False, event_enrichment=False, admin_email="Nora@Example.com"
    ).tenant
    assert tenant.status == TenantStatus.PENDING
    membership = Membership.objects.get(tenant=tenant)
    assert (membership.user.email, membership.level, membership.accepted_at) == ("nora@example.com", "admin", None)


@pytest.mark.parametrize("admin_email", [None, ""])
def test_an_account_of_its_own_needs_an_admin(db: None, admin_email: str | None) -> None:
    with pytest.raises(InvalidInput, match="adminEmail"):
        create_tenant(
            principal=OPERATOR, name="Own", can_partner_manage=False, event_enrichment=False, admin_email=admin_email
        )
    assert not Tenant.objects.exists()


def test_what_is_not_given_stays(cast: Cast) -> None:
    tenant = update_tenant(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, name="Boots")
    assert (tenant.name, tenant.status, tenant.can_partner_manage) == ("Boots", TenantStatus.ACTIVE, True)
    assert AuditEntry.objects.get().changes == {"name": ["Shoes", "Boots"]}


def test_an_update_that_changes_nothing_leaves_no_record(cast: Cast) -> None:
    update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, name="Shoes", status=0, can_partner_manage=True)
    assert not AuditEntry.objects.exists()


def test_the_people_of_a_deactivated_account_cannot_bring_it_back(cast: Cast) -> None:
    update_tenant(principal=principal_of_user(cast.hanna), tenant_id=cast.shoes.pk, status=2)
    with pytest.raises(NotAuthorized):
        update_tenant(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, status=0)
    assert update_tenant(principal=principal_of_user(cast.milo), tenant_id=cast.shoes.pk, status=0).status == 0


def test_an_account_without_an_admin_cannot_be_handed_over(db: None) -> None:
    tenant = TenantFactory.create()
    with pytest.raises(InvalidInput, match="canPartnerManage"):
        update_tenant(principal=OPERATOR, tenant_id=tenant.pk, can_partner_manage=False)


def test_an_account_is_not_handed_over_to_someone_who_cannot_sign_in(cast: Cast) -> None:
    User.objects.filter(pk=cast.ada.pk).update(expires_on="2020-01-01")
    with pytest.raises(InvalidInput, match="admin of its own"):
        update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, can_partner_manage=False)


def test_an_account_is_not_opened_for_someone_deactivated(cast: Cast) -> None:
    User.objects.filter(pk=cast.olaf.pk).update(status=User.Status.DEACTIVATED)
    with pytest.raises(Conflict, match="deactivated"):
        create_tenant(
            principal=OPERATOR,
            name="Own",
            can_partner_manage=False,
            event_enrichment=False,
            admin_email="olaf@example.com",
        )
    assert not Tenant.objects.filter(name="Own").exists()


def test_an_account_is_not_handed_over_deactivated(cast: Cast) -> None:
    with pytest.raises(InvalidInput, match="deactivated"):
        update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, status=2, can_partner_manage=False)
    cast.shoes.refresh_from_db()
    assert cast.shoes.status == TenantStatus.ACTIVE


def test_an_account_of_its_own_lets_the_host_in_again(cast: Cast) -> None:
    update_tenant(principal=principal_of_user(cast.bea), tenant_id=cast.books.pk, can_partner_manage=True)
    update_tenant(principal=principal_of_user(cast.hanna), tenant_id=cast.books.pk, name="Paper")


def test_a_deleted_account_takes_everything_but_its_record_along(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes)
    delete_tenant(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk)
    assert not Tenant.objects.filter(pk=cast.shoes.pk).exists()
    assert User.objects.filter(pk=cast.ada.pk).exists()
    assert AuditEntry.objects.get(tenant_id=cast.shoes.pk).act == "delete account"


def test_deleting_forgets_those_who_were_only_invited(db: None) -> None:
    tenant = create_tenant(
        principal=OPERATOR, name="Own", can_partner_manage=False, event_enrichment=False, admin_email="nora@example.com"
    ).tenant
    delete_tenant(principal=OPERATOR, tenant_id=tenant.pk)
    assert not User.objects.exists()


def test_pages_of_accounts_follow_each_other(cast: Cast) -> None:
    document = """query($after: String) { tenants(first: 2, after: $after) {
        totalCount edges { node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor } } }"""
    first = graphql(cast.hanna, HUB, document).data["tenants"]
    assert [edge["node"]["name"] for edge in first["edges"]] == ["Books", "Other"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert first["pageInfo"]["hasPreviousPage"] is False
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]
    second = graphql(cast.hanna, HUB, document, {"after": first["pageInfo"]["endCursor"]}).data["tenants"]
    assert [edge["node"]["name"] for edge in second["edges"]] == ["Shoes"]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_an_account_that_is_gone_does_not_stand_before_a_page(cast: Cast) -> None:
    document = """query($after: String) { tenants(first: 1, after: $after) {
        edges { node { name } } pageInfo { hasPreviousPage startCursor endCursor } } }"""
    first = graphql(cast.hanna, HUB, document).data["tenants"]
    delete_tenant(principal=OPERATOR, tenant_id=cast.books.pk)

    second = graphql(cast.hanna, HUB, document, {"after": first["pageInfo"]["endCursor"]}).data["tenants"]

    assert second["edges"] == [{"node": {"name": "Other"}}]
    assert second["pageInfo"]["hasPreviousPage"] is False


def test_an_empty_page_has_no_cursors_and_tells_what_stands_before_it(cast: Cast) -> None:
    document = """query($after: String) { tenants(after: $after) {
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    end = graphql(cast.hanna, HUB, document).data["tenants"]["pageInfo"]["endCursor"]

    assert graphql(cast.hanna, HUB, document, {"after": end}).data["tenants"]["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


def test_accounts_are_found_by_name_id_and_status(cast: Cast) -> None:
    def found(**variables: object) -> list[str]:
        document = """query($search: String, $status: Int) {
            tenants(search: $search, status: $status) { edges { node { name } } } }"""
        return [edge["node"]["name"] for edge in graphql(cast.robot, HUB, document, variables).data["tenants"]["edges"]]

    assert found(search="sho") == ["Shoes"]
    assert found(search=cast.books.pk) == ["Books"]
    assert found(search="100%") == []
    assert found(status=2) == []


def test_the_ui_flags_speak_of_people_only(cast: Cast) -> None:
    flags = "canEditTenantSettingsInUI canViewTenantInUI canEditTenantUsersInUI"
    document = f"query($id: String!) {{ tenant(tenantId: $id) {{ {flags} }} }}"

    def of(caller: object, tenant: Tenant = cast.shoes) -> list[bool]:
        return list(graphql(caller, HUB, document, {"id": tenant.pk}).data["tenant"].values())  # type: ignore[arg-type]

    assert of(cast.robot) == [False, False, False]
    assert of(cast.ada) == [True, True, True]
    assert of(cast.max) == [True, True, False]
    assert of(cast.vic) == [False, True, False]
    assert of(cast.hanna, cast.books) == [False, False, False]


def test_the_host_sees_an_account_of_its_own_from_outside(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.books)
    document = """query($id: String!) { tenant(tenantId: $id) {
        name status users { id } tenantUsage { totalPixels pixelIds } } }"""
    assert graphql(cast.robot, HUB, document, {"id": cast.books.pk}).data["tenant"] == {
        "name": "Books",
        "status": 0,
        "users": [],
        "tenantUsage": {"totalPixels": 1, "pixelIds": []},
    }


def test_ids_have_the_form_of_the_reference() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9]{8}", new_tenant_id()) for _ in range(1000))


@given(st.text(max_size=120))
def test_any_name_is_kept_trimmed_or_refused_with_its_field(name: str) -> None:
    bidi = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    clean = not any(unicodedata.category(char) in ("Cc", "Cs") or char in bidi for char in name)
    visible = any(unicodedata.category(char)[0] not in "CZ" for char in name)
    fits = clean and visible and len(name.strip()) <= 100
    if fits:
        assert clean_text("name", name, max_length=100) == name.strip()
    else:
        with pytest.raises(InvalidInput, match=r"^name: "):
            clean_text("name", name, max_length=100)


def test_signing_in_needs_a_working_account(cast: Cast) -> None:
    cast.ada.status = User.Status.DEACTIVATED
    browser = login(cast.ada)
    cast.ada.save()
    assert graphql(browser, HUB, "{ viewer { email } }").refused(401)
