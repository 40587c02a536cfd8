"""Making and deleting API accounts: as a service, and from the command line."""

from __future__ import annotations

import json
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.authentication import principal_from_bearer
from accounts.models import AccessToken, ApiAccount, AuditEntry, User
from accounts.principals import OPERATOR, Principal, principal_of_api_account, principal_of_user
from accounts.services.api_accounts import (
    check_credentials,
    create_api_account,
    delete_api_account,
    store_access_token,
)
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound
from tests.base import Cast, bearer, snapshot

PASSWORD = "correct horse battery staple"
IMPOSSIBLE_NAMES = [
    "", " ", "two words", "dash-ed", "under_score", "a" * 21, "Robot\n", "\nRobot", "Röbot", "Ⅳ", "٣",
    "nul\0", "\ud800",
]  # fmt: skip


@pytest.fixture
def hanna(cast: Cast) -> Principal:
    """The host's admin, with a password."""
    cast.hanna.set_password(PASSWORD)
    cast.hanna.save()
    return principal_of_user(cast.hanna)


def test_an_api_account_is_made_with_a_secret_that_signs_it_in(cast: Cast) -> None:
    issued = create_api_account(principal=OPERATOR, name="Shop1")
    assert issued.api_account.name == "Shop1"
    assert check_credentials(name="Shop1", secret=issued.secret) == issued.api_account


def test_secrets_are_long_and_never_the_same(cast: Cast) -> None:
    secrets = {create_api_account(principal=OPERATOR, name=f"Shop{n}").secret for n in range(3)}
    assert len(secrets) == 3
    assert all(len(secret) >= 43 for secret in secrets)


def test_the_secret_is_kept_nowhere(cast: Cast) -> None:
    issued = create_api_account(principal=OPERATOR, name="Shop1")
    assert issued.secret not in repr(snapshot())
    assert issued.secret not in repr(issued)


def test_making_one_is_recorded_with_its_actor(hanna: Principal) -> None:
    create_api_account(principal=hanna, name="Shop1", password=PASSWORD)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.act, entry.subject) == ("hanna@example.com", "create API account", "Shop1")
    assert entry.tenant_id is None


def test_the_person_who_made_one_is_remembered(hanna: Principal) -> None:
    issued = create_api_account(principal=hanna, name="Shop1", password=PASSWORD)
    assert issued.api_account.created_by == hanna.user


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_a_person_must_give_their_own_password(hanna: Principal, password: str | None) -> None:
    before = snapshot()
    with pytest.raises(InvalidInput, match="password: must be your own password"):
        create_api_account(principal=hanna, name="Shop1", password=password)
    assert snapshot() == before


def test_an_api_account_makes_another_without_a_password(cast: Cast) -> None:
    issued = create_api_account(principal=principal_of_api_account(cast.robot), name="Shop1")
    assert AuditEntry.objects.get().actor == "API account Robot"
    assert issued.api_account.created_by is None


@pytest.mark.parametrize("name", IMPOSSIBLE_NAMES)
def test_names_have_ascii_letters_and_digits_only(cast: Cast, name: str) -> None:
    before = snapshot()
    with pytest.raises(InvalidInput, match="name: must have 1 to 20 letters and digits"):
        create_api_account(principal=OPERATOR, name=name)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["a", "7", "A" * 20, "aZ09"])
def test_every_other_name_is_fine(cast: Cast, name: str) -> None:
    assert create_api_account(principal=OPERATOR, name=name).api_account.name == name


@pytest.mark.parametrize("name", ["", "dash-ed", "Robot\n"])
def test_the_database_holds_the_rule_on_names_too(cast: Cast, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiAccount.objects.create(name=name, secret_hash="0" * 64)


def test_a_name_that_is_taken_is_a_conflict(cast: Cast) -> None:
    before = snapshot()
    with pytest.raises(Conflict, match="name: an API account has this name already"):
        create_api_account(principal=OPERATOR, name="Robot")
    assert snapshot() == before


def test_of_two_who_take_a_name_at_once_the_second_meets_a_conflict(cast: Cast) -> None:
    """The second saw the name free; the database knows better."""
    really_get = ApiAccount.objects.all().get
    answers = iter([ApiAccount.DoesNotExist()])

    def get_too_early(queryset: object, *args: object, **kwargs: object) -> ApiAccount:
        for missing in answers:
            raise missing
        return really_get(*args, **kwargs)

    with mock.patch("django.db.models.query.QuerySet.get", get_too_early), pytest.raises(Conflict):
        create_api_account(principal=OPERATOR, name="Robot")
    assert next(answers, None) is None
    assert ApiAccount.objects.count() == 1


@pytest.mark.parametrize("who", ["milo", "vera", "ada", "bea", "olaf"])
def test_only_the_hosts_admins_make_and_delete_them(cast: Cast, who: str) -> None:
    person: User = getattr(cast, who)
    person.set_password(PASSWORD)
    person.save()
    before = snapshot()
    with pytest.raises(NotAuthorized):
        create_api_account(principal=principal_of_user(person), name="Shop1", password=PASSWORD)
    with pytest.raises(NotAuthorized):
        delete_api_account(principal=principal_of_user(person), name="Robot")
    assert snapshot() == before


def test_deleting_an_api_account_ends_its_tokens_at_once(cast: Cast) -> None:
    token = bearer(cast.robot)
    assert principal_from_bearer(token) is not None
    delete_api_account(principal=OPERATOR, name="Robot")
    assert principal_from_bearer(token) is None
    assert not AccessToken.objects.exists()


def test_deleting_one_is_recorded(hanna: Principal) -> None:
    delete_api_account(principal=hanna, name="Robot")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.act, entry.subject) == ("hanna@example.com", "delete API account", "Robot")


def test_deleting_one_leaves_the_others(cast: Cast) -> None:
    other = create_api_account(principal=OPERATOR, name="Shop1")
    token = bearer(other.api_account)
    delete_api_account(principal=OPERATOR, name="Robot")
    assert principal_from_bearer(token) is not None


@pytest.mark.parametrize("name", ["Nobody", "robot", *IMPOSSIBLE_NAMES])
def test_one_that_is_not_there_cannot_be_deleted(cast: Cast, name: str) -> None:
    before = snapshot()
    with pytest.raises(NotFound, match="name: there is no API account of this name"):
        delete_api_account(principal=OPERATOR, name=name)
    assert snapshot() == before


def test_a_token_is_not_kept_for_an_account_that_was_deleted_meanwhile(cast: Cast) -> None:
    robot = ApiAccount.objects.get(name="Robot")
    delete_api_account(principal=OPERATOR, name="Robot")
    with pytest.raises(NotFound):
        store_access_token(api_account=robot, token="late")
    assert not AccessToken.objects.exists()


def test_the_command_prints_one_line_of_json_that_signs_in(cast: Cast) -> None:
    out = StringIO()
    call_command("create_api_account", "Shop1", stdout=out)
    (line,) = out.getvalue().splitlines()
    printed = json.loads(line)
    assert list(printed) == ["client_id", "client_secret"]
    assert printed["client_id"] == "Shop1"
    assert check_credentials(name="Shop1", secret=printed["client_secret"]) is not None
    assert AuditEntry.objects.get().actor == "command line"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dash-ed", "name: must have 1 to 20"),
        ("Robot", "There is an API account Robot already; .*/hub/settings/api-accounts/"),
    ],
)
def test_the_command_says_why_it_refuses(cast: Cast, name: str, message: str) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match=message):
        call_command("create_api_account", name, stdout=out)
    assert out.getvalue() == ""
    assert ApiAccount.objects.count() == 1
