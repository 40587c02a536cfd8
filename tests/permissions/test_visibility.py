"""What one caller sees of what others own: a foreign row is simply not there."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import RoleLevel
from tests.base import HUB, Caller, Cast, graphql
from tests.factories import MembershipFactory, PixelFactory
from tests.operations import run
from tests.stage import make_stage

HOST = ["hanna", "milo", "vera", "robot"]


def _tenant(caller: Caller, tenant_id: str) -> dict[str, Any]:
    answer = run(caller, "tenant", tenantId=tenant_id)
    assert answer.errors == []
    return dict(answer.data["tenant"])


def _accounts(caller: Caller) -> list[str]:
    edges = run(caller, "tenants").data["tenants"]["edges"]
    return [edge["node"]["name"] for edge in edges]


@pytest.mark.parametrize("name", HOST)
def test_the_host_sees_name_status_and_usage_of_an_account_of_its_own_and_no_more(cast: Cast, name: str) -> None:
    PixelFactory.create(tenant=cast.books)

    books = _tenant(getattr(cast, name), cast.books.pk)

    assert (books["name"], books["status"], books["canPartnerManage"]) == ("Books", 0, False)
    assert books["tenantUsage"]["totalPixels"] == 1
    assert books["tenantUsage"]["pixelIds"] == []
    assert books["users"] == []


def test_the_people_of_an_account_of_its_own_see_everything_in_it(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.books)

    books = _tenant(cast.bibi, cast.books.pk)

    assert [user["email"] for user in books["users"]] == ["bea@example.com", "bibi@example.com", "bruno@example.com"]
    assert books["tenantUsage"]["pixelIds"] == [pixel.pixel_id]


@pytest.mark.parametrize("name", HOST)
def test_the_host_sees_all_accounts(cast: Cast, name: str) -> None:
    assert _accounts(getattr(cast, name)) == ["Books", "Other", "Shoes"]


def test_others_see_the_accounts_in_which_they_have_a_role(cast: Cast) -> None:
    MembershipFactory.create(user=cast.olaf, tenant=cast.books, level=RoleLevel.VIEW)

    assert _accounts(cast.olaf) == ["Books", "Other"]
    assert _accounts(cast.vic) == ["Shoes"]


def test_an_offered_role_has_no_effect_until_it_is_accepted(cast: Cast) -> None:
    MembershipFactory.create(user=cast.olaf, tenant=cast.shoes, accepted_at=None)

    assert _accounts(cast.olaf) == ["Other"]
    assert run(cast.olaf, "tenant", tenantId=cast.shoes.pk).refused(401)


def test_an_account_that_is_hidden_and_one_that_is_missing_answer_alike(cast: Cast) -> None:
    hidden = run(cast.olaf, "tenant", tenantId=cast.shoes.pk)
    missing = run(cast.olaf, "tenant", tenantId="Missing8")
    missing_for_the_host = run(cast.hanna, "tenant", tenantId="Missing8")

    assert hidden.refused(401)
    assert hidden.body == missing.body == missing_for_the_host.body


def test_roles_elsewhere_are_hidden_from_a_persons_colleagues(cast: Cast) -> None:
    MembershipFactory.create(user=cast.max, tenant=cast.books, level=RoleLevel.VIEW)

    document = """
        query($id: String!) { tenant(tenantId: $id) {
          users { email roles { name } tenants { name users { email } } }
        } }"""
    answer = graphql(cast.vic, HUB, document, {"id": cast.shoes.pk})

    people = {user["email"]: user for user in answer.data["tenant"]["users"]}
    assert people["max@example.com"]["roles"] == [{"name": f"advertiser-manage-{cast.shoes.pk}"}]
    assert [tenant["name"] for tenant in people["max@example.com"]["tenants"]] == ["Shoes"]
    assert "bea@example.com" not in str(answer.body)


def test_the_host_finds_no_way_round_through_a_person_of_two_accounts(cast: Cast) -> None:
    MembershipFactory.create(user=cast.max, tenant=cast.books, level=RoleLevel.VIEW)

    document = "query($id: String!) { tenant(tenantId: $id) { users { email tenants { name users { email } } } } }"
    answer = graphql(cast.hanna, HUB, document, {"id": cast.shoes.pk})

    assert answer.errors == []
    assert "bea@example.com" not in str(answer.body)


def test_the_access_key_is_hidden_from_those_who_may_only_view(cast: Cast) -> None:
    pixel = make_stage(cast.shoes).pixel

    def key(caller: Caller) -> Any:
        answer = run(caller, "account", tenantId=cast.shoes.pk)
        (config,) = answer.data["tenantQueries"]["account"]["signalConfigs"]
        return config["connectionStatus"]["accessKey"]

    assert [key(caller) for caller in (cast.vic, cast.vera)] == [None, None]
    assert {key(caller) for caller in (cast.max, cast.ada, cast.milo, cast.hanna, cast.robot)} == {pixel.access_key}


def test_the_ui_flags_follow_the_persons_role_and_are_false_for_api_accounts(cast: Cast) -> None:
    flags = ("canEditTenantSettingsInUI", "canViewTenantInUI", "canEditTenantUsersInUI")

    def seen_by(caller: Caller, tenant_id: str) -> tuple[bool, ...]:
        tenant = _tenant(caller, tenant_id)
        return tuple(tenant[flag] for flag in flags)

    assert seen_by(cast.robot, cast.shoes.pk) == (False, False, False)
    assert seen_by(cast.vic, cast.shoes.pk) == (False, True, False)
    assert seen_by(cast.max, cast.shoes.pk) == (True, True, False)
    assert seen_by(cast.ada, cast.shoes.pk) == (True, True, True)
    assert seen_by(cast.hanna, cast.shoes.pk) == (True, True, True)
    assert seen_by(cast.hanna, cast.books.pk)[::2] == (False, False)


def test_the_viewer_is_told_who_they_are(cast: Cast) -> None:
    def viewer(caller: Caller) -> Any:
        return run(caller, "viewer").data["viewer"]

    all_ids = [cast.books.pk, cast.other.pk, cast.shoes.pk]
    assert viewer(cast.robot) == {"kind": "AGENCY", "email": None, "apiAccount": "Robot", "tenantIds": all_ids}
    assert viewer(cast.ada) == {
        "kind": "ADVERTISER",
        "email": "ada@example.com",
        "apiAccount": None,
        "tenantIds": [cast.shoes.pk],
    }
    assert viewer(cast.vera)["kind"] == "AGENCY"
