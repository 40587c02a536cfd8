"""API accounts with a scope: read only, for one account, until a moment; and the rotation of their secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.authentication import principal_from_bearer
from accounts.models import AccessToken, ApiAccount, AuditEntry, Tenant
from accounts.principals import OPERATOR, principal_of_api_account, principal_of_key
from accounts.services import api_accounts
from accounts.services.api_accounts import (
    IssuedApiAccount,
    check_credentials,
    create_api_account,
    delete_api_account,
    expiring_api_accounts,
    rotate_api_account,
    update_api_account,
)
from accounts.services.forgetting import prune
from accounts.services.tenants import delete_tenant, update_tenant
from common.errors import InvalidInput, NotAuthorized, NotFound
from tests.accounts.token_requests import assert_refused, body_of, post_urlencoded
from tests.base import HUB, Cast, bearer, graphql, snapshot
from tests.factories import ApiAccountFactory
from tests.operations import run

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


def token_of(issued: IssuedApiAccount, **fields: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": issued.api_account.name, "client_secret": issued.secret}
    return post_urlencoded(form | fields)


# --- What it may do --------------------------------------------------------------------------------------------------


def test_a_key_that_is_read_only_acts_as_a_viewer_at_the_host(cast: Cast) -> None:
    key = ApiAccountFactory.create(read_only=True)

    assert len(run(key, "tenants").data["tenants"]["edges"]) == 3
    assert run(key, "deleteTenant", tenantId=cast.shoes.pk).refused(401)


def test_a_key_for_one_account_sees_and_does_there_what_the_host_does_and_nothing_elsewhere(cast: Cast) -> None:
    key = ApiAccountFactory.create(tenant=cast.shoes)

    edges = run(key, "tenants").data["tenants"]["edges"]
    assert [edge["node"]["name"] for edge in edges] == ["Shoes"]
    assert run(key, "viewer").data["viewer"]["tenantIds"] == [cast.shoes.pk]
    assert run(key, "updateTenant", input={"tenantId": cast.shoes.pk, "name": "Boots"}).errors == []
    assert run(key, "updateTenant", input={"tenantId": cast.other.pk, "name": "Boots"}).refused(401)


def test_what_an_account_closes_to_the_host_it_closes_to_the_hosts_key(cast: Cast) -> None:
    token = bearer(ApiAccountFactory.create(tenant=cast.shoes))
    assert run(token, "account", tenantId=cast.shoes.pk).errors == []

    update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, can_partner_manage=False)

    assert run(token, "account", tenantId=cast.shoes.pk).refused(401)
    assert run(token, "tenantUsage", tenantId=cast.shoes.pk).errors == []


def test_a_key_with_scope_makes_changes_and_rotates_none(cast: Cast) -> None:
    before = snapshot()
    acts: list[Callable[..., object]] = [create_api_account, update_api_account, rotate_api_account, delete_api_account]
    bounds: list[Any] = [{"read_only": True}, {"tenant": cast.shoes}, {"expires_at": timezone.now() + AN_HOUR}]
    for key in (ApiAccount(name="Key", **bound) for bound in bounds):
        for act in acts:
            with pytest.raises(NotAuthorized):
                act(principal=principal_of_api_account(key), name="Robot")
    assert snapshot() == before


def test_a_key_goes_with_its_account_and_never_stays_without_a_border(cast: Cast) -> None:
    token = bearer(ApiAccountFactory.create(tenant=cast.shoes))

    delete_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk)

    assert principal_from_bearer(token) is None
    assert list(ApiAccount.objects.all()) == [cast.robot]


def test_a_key_that_ends_does_not_take_its_own_end_away(cast: Cast) -> None:
    token = bearer(ApiAccountFactory.create(name="Till", expires_at=timezone.now() + AN_HOUR))

    assert run(token, "updateApiAccount", input={"name": "Till", "expiresAt": None}).refused(401)
    assert run(token, "createApiAccount", input={"name": "Heir"}).refused(401)
    assert run(token, "rotateApiAccount", input={"name": "Robot"}).refused(401)
    assert ApiAccount.objects.exclude(expires_at=None).get().name == "Till"
    assert not ApiAccount.objects.filter(name="Heir").exists()


def test_a_key_that_ends_invites_nobody_who_would_outlive_it(cast: Cast) -> None:
    token = bearer(ApiAccountFactory.create(name="Till", expires_at=timezone.now() + AN_HOUR))
    invited = {"input": {"email": "heir@example.com", "roleName": "agency-admin"}}
    raised = {"input": {"userId": str(cast.vera.pk), "roleToRevoke": "agency-view", "roleToAdd": "agency-admin"}}
    before = snapshot()

    for _ in range(2):  # by its row, and as it is remembered
        assert run(token, "addUserWithRole", **invited).refused(401)
        assert run(token, "changeRoleForUser", **raised).refused(401)
    assert snapshot() == before

    here = {"input": {"email": "new@example.com", "roleName": f"advertiser-view-{cast.shoes.pk}"}}
    assert run(token, "addUserWithRole", **here).errors == []


def test_a_key_whose_account_the_release_before_has_deleted_reaches_nothing_and_goes(cast: Cast) -> None:
    gone = Tenant.objects.create(name="Gone")
    token = bearer(ApiAccountFactory.create(name="Till", tenant=gone))
    Tenant.objects.filter(pk=gone.pk)._raw_delete("default")

    assert run(token, "tenants").data["tenants"]["edges"] == []
    prune()

    assert list(ApiAccount.objects.all()) == [cast.robot]


# --- Changing it -----------------------------------------------------------------------------------------------------


def test_a_narrower_scope_holds_at_once_for_tokens_that_are_known_here(cast: Cast) -> None:
    token = bearer(cast.robot)
    assert graphql(token, HUB, "{ viewer { tenantIds } }").errors == []  # which remembers it

    update_api_account(principal=OPERATOR, name="Robot", tenant_id=cast.shoes.pk)

    assert graphql(token, HUB, "{ viewer { tenantIds } }").refused(401)
    assert run(bearer(cast.robot), "viewer").data["viewer"]["tenantIds"] == [cast.shoes.pk]


def test_what_is_not_given_stays_and_the_log_tells_what_changed(cast: Cast) -> None:
    update_api_account(principal=OPERATOR, name="Robot", read_only=True, tenant_id=cast.shoes.pk)
    changed = update_api_account(principal=OPERATOR, name="Robot", tenant_id=None)

    assert (changed.read_only, changed.tenant_id) == (True, None)
    newest = AuditEntry.objects.first()
    assert newest is not None
    assert (newest.act, newest.changes) == ("update API account", {"tenant_id": [cast.shoes.pk, None]})


def test_no_change_ends_no_token_and_is_not_recorded(cast: Cast) -> None:
    token = bearer(cast.robot)
    update_api_account(principal=OPERATOR, name="Robot", read_only=False)
    assert principal_from_bearer(token) is not None
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        ({"tenant_id": "Missing8"}, "tenantId"),
        ({"tenant_id": "\0"}, "tenantId"),
        ({"expires_at": NOON}, "expiresAt"),
    ],
)
def test_a_scope_that_cannot_be_changes_nothing(cast: Cast, scope: Any, field: str) -> None:
    before = snapshot()
    with time_machine.travel(NOON), pytest.raises(InvalidInput, match=f"^{field}: "):
        update_api_account(principal=OPERATOR, name="Robot", **scope)
    with time_machine.travel(NOON), pytest.raises(InvalidInput, match=f"^{field}: "):
        create_api_account(principal=OPERATOR, name="New", **scope)
    assert snapshot() == before


def test_a_name_that_nobody_has_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound, match=r"^name: "):
        update_api_account(principal=OPERATOR, name="\0", read_only=True)
    with pytest.raises(NotFound, match=r"^name: "):
        rotate_api_account(principal=OPERATOR, name="Nobody")


# --- Its end ---------------------------------------------------------------------------------------------------------


def test_an_expired_key_gets_no_token_and_is_told_why_if_it_knows_the_secret(cast: Cast) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        issued = create_api_account(principal=OPERATOR, name="Till", expires_at=NOON + AN_HOUR)
        first = body_of(token_of(issued))
        assert first["expires_in"] == 3600
        clock.shift(AN_HOUR)

        answer = token_of(issued)
        assert_refused(answer, 401, "invalid_client")
        assert "has expired" in body_of(answer)["error_description"]
        assert "expired" not in body_of(token_of(issued, client_secret="wrong"))["error_description"]
        assert principal_from_bearer(first["token"]) is None
        assert principal_of_key(principal_of_api_account(issued.api_account).key) is None


def test_an_end_that_is_set_later_ends_the_tokens_that_there_are(cast: Cast) -> None:
    token = bearer(cast.robot)
    update_api_account(principal=OPERATOR, name="Robot", expires_at=timezone.now() + AN_HOUR)
    assert principal_from_bearer(token) is None


def test_keys_that_expire_soon_are_found_the_first_to_go_first(cast: Cast) -> None:
    with time_machine.travel(NOON, tick=False):
        for name, days in (("Later", 8), ("Soon", 6), ("Sooner", 2), ("Gone", -1)):
            ApiAccountFactory.create(name=name, expires_at=NOON + timedelta(days=days))
        assert [key.name for key in expiring_api_accounts(within=timedelta(days=7))] == ["Gone", "Sooner", "Soon"]


# --- Its secrets -----------------------------------------------------------------------------------------------------


def test_two_secrets_are_good_until_the_former_one_ends(cast: Cast) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        former = create_api_account(principal=OPERATOR, name="Till")
        new = rotate_api_account(principal=OPERATOR, name="Till", overlap_hours=2)

        assert body_of(token_of(new))["expires_in"] == 36000
        late = body_of(token_of(former))
        assert late["expires_in"] == 7200
        clock.shift(2 * AN_HOUR)

        assert_refused(token_of(former), 401, "invalid_client")
        assert principal_from_bearer(late["token"]) is None
        assert token_of(new).status_code == 200


def test_a_rotation_without_overlap_ends_the_former_secret_and_its_tokens_at_once(cast: Cast) -> None:
    former = create_api_account(principal=OPERATOR, name="Till")
    token = body_of(token_of(former))["token"]

    rotate_api_account(principal=OPERATOR, name="Till", overlap_hours=0)

    assert_refused(token_of(former), 401, "invalid_client")
    assert principal_from_bearer(token) is None


def test_no_third_secret_is_good(cast: Cast) -> None:
    first = create_api_account(principal=OPERATOR, name="Till")
    second = rotate_api_account(principal=OPERATOR, name="Till")
    third = rotate_api_account(principal=OPERATOR, name="Till")

    good = [check_credentials(name="Till", secret=one.secret) is not None for one in (first, second, third)]
    assert good == [False, True, True]


def test_the_log_tells_of_a_rotation_and_of_no_secret(cast: Cast) -> None:
    with time_machine.travel(NOON, tick=False):
        issued = rotate_api_account(principal=OPERATOR, name="Robot")
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.subject) == ("rotate API account", "Robot")
    assert entry.changes == {"previous_secret_until": [None, "2026-03-03 12:00+00:00"]}
    assert issued.secret not in repr(snapshot())


@pytest.mark.parametrize("hours", [-1, 169])
def test_the_former_secret_is_good_for_a_week_at_most(cast: Cast, hours: int) -> None:
    before = snapshot()
    with pytest.raises(InvalidInput, match=r"^overlapHours: must be a whole number from 0 to 168"):
        rotate_api_account(principal=OPERATOR, name="Robot", overlap_hours=hours)
    assert snapshot() == before


def test_a_secret_that_is_replaced_between_the_check_and_the_issue_gets_no_token(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = create_api_account(principal=OPERATOR, name="Till")

    def check_then_rotate(**credentials: str) -> ApiAccount | None:
        found = api_accounts.check_credentials(**credentials)
        rotate_api_account(principal=OPERATOR, name="Till", overlap_hours=0)
        return found

    monkeypatch.setattr("accounts.oauth.check_credentials", check_then_rotate)

    assert_refused(token_of(issued), 401, "invalid_client")
    assert not AccessToken.objects.exists()


# --- What its tokens are told to be good for -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read_only", "bound", "scope"),
    [(True, False, "agency-view"), (False, True, "agency-admin tenant:{id}"), (True, True, "agency-view tenant:{id}")],
)
def test_the_answer_to_a_scope_says_which_holds(cast: Cast, read_only: bool, bound: bool, scope: str) -> None:
    tenant_id = cast.shoes.pk if bound else None
    issued = create_api_account(principal=OPERATOR, name="Till", read_only=read_only, tenant_id=tenant_id)

    assert body_of(token_of(issued, scope="agency-admin"))["scope"] == scope.format(id=cast.shoes.pk)


# --- At the command line ---------------------------------------------------------------------------------------------


def command(*words: str) -> list[Any]:
    """What the command prints, a line of JSON each."""
    out = StringIO()
    call_command(*words, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_operator_makes_changes_rotates_and_lists_keys(cast: Cast) -> None:
    (made,) = command(
        "create_api_account", "Till", "--read-only", "--account", cast.shoes.pk, "--expires", "2999-03-31T18:00Z"
    )
    (new,) = command("rotate_api_account", "Till", "--overlap-hours", "1")
    (changed,) = command("update_api_account", "Till", "--no-read-only", "--account", "all")

    assert all(check_credentials(name="Till", secret=one["client_secret"]) for one in (made, new))
    assert changed == {
        "client_id": "Till",
        "read_only": False,
        "account": None,
        "expires": "2999-03-31T18:00:00+00:00",
        "former_secret_good_until": changed["former_secret_good_until"],
        "last_used": None,
        "last_used_from": None,
    }
    assert [one["client_id"] for one in command("list_api_accounts")] == ["Robot", "Till"]
    assert command("list_api_accounts", "--expire-within", "30") == []
    (forever,) = command("update_api_account", "Till", "--expires", "never")
    assert forever["expires"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create_api_account", "Till", "--account", "Missing8"), "tenantId: must be the id of an account"),
        (("update_api_account", "Nobody"), "name: there is no API account of this name"),
        (("update_api_account", "Robot", "--expires", "2027-02-30"), "must be a day or a moment"),
        (("update_api_account", "Robot", "--expires", "2001-01-01"), "expiresAt: must be in the future"),
        (("rotate_api_account", "Robot", "--overlap-hours", "169"), "overlapHours: must be a whole number"),
        (("list_api_accounts", "--expire-within", "-1"), "must be from 0 to"),
    ],
)
def test_a_command_says_why_it_refuses(cast: Cast, words: tuple[str, ...], message: str) -> None:
    before = snapshot()
    with pytest.raises(CommandError, match=message):
        command(*words)
    assert snapshot() == before


# --- In GraphQL ------------------------------------------------------------------------------------------------------


def test_software_makes_a_key_finds_that_it_expires_and_takes_its_end_away(cast: Cast) -> None:
    end = timezone.now() + AN_HOUR
    ending = {"name": "Till", "readOnly": True, "tenantId": cast.shoes.pk}
    made = run(cast.robot, "createApiAccount", input=ending | {"expiresAt": str(int(end.timestamp() * 1000))}).data[
        "apiAccountMutations"
    ]["createApiAccount"]
    assert check_credentials(name="Till", secret=made["clientSecret"]) is not None

    (soon,) = run(cast.vera, "apiAccounts", expireWithinDays=1).data["apiAccounts"]
    assert (soon["name"], soon["readOnly"], soon["tenantId"]) == ("Till", True, cast.shoes.pk)

    run(cast.robot, "updateApiAccount", input={"name": "Till", "expiresAt": None})
    till = ApiAccount.objects.get(name="Till")
    assert (till.read_only, till.tenant, till.expires_at) == (True, cast.shoes, None)


@pytest.mark.parametrize("text", ["", "soon", "-1", "9" * 16])
def test_an_end_that_is_no_moment_is_refused(cast: Cast, text: str) -> None:
    answer = run(cast.robot, "updateApiAccount", input={"name": "Robot", "expiresAt": text})
    assert answer.refused(400)
    assert answer.message.startswith("expiresAt: ")
    assert not AuditEntry.objects.exists()
