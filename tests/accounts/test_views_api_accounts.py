"""API accounts in the web UI."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessToken, ApiAccount, User
from accounts.services.api_accounts import check_credentials
from tests.accounts.pages import words
from tests.base import Cast, bearer, graphql, login, snapshot
from tests.factories import ApiAccountFactory
from tests.operations import HUB_DOCUMENTS

PAGE = "/hub/settings/api-accounts/"
PASSWORD = "correct horse battery"


@pytest.fixture
def hanna(cast: Cast) -> User:
    """Hanna with a password."""
    cast.hanna.set_password(PASSWORD)
    cast.hanna.save()
    return cast.hanna


def secret_in(page: Any) -> str:
    found = re.search(r'id="secret" value="([^"]+)"', page.content.decode())
    assert found
    return html.unescape(found[1])


def test_the_list_tells_who_made_an_account_and_when_it_was_used(cast: Cast) -> None:
    ApiAccountFactory.create(name="Till", created_by=cast.hanna, last_used_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))

    page = words(login(cast.vera).get(PAGE))

    assert re.search(r"Robot \S+ \d+, \d+, \d\d:\d\d UTC All that an admin of the host may Never", page)
    assert "by hanna@example.com All that an admin of the host may March 1, 2026, 12:30 UTC" in page


def test_the_reference_is_linked_on_top(cast: Cast) -> None:
    page = login(cast.vera).get(PAGE).content.decode()

    assert page.index('href="/hub/settings/api-reference/"', page.index("page-header")) < page.index("page-body")


def test_a_new_account_signs_in_with_the_secret_that_is_shown_once(hanna: User) -> None:
    client = login(hanna)

    page = client.post(f"{PAGE}add/", {"name": "Till", "password": PASSWORD})

    secret = secret_in(page)
    answer = client.post(
        "/clients/token", {"grant_type": "client_credentials", "client_id": "Till", "client_secret": secret}
    )
    token = answer.json()["access_token"]
    viewer = graphql(token, "/hub/graphql/", HUB_DOCUMENTS["viewer"]).data["viewer"]
    assert viewer["apiAccount"] == "Till"
    assert ApiAccount.objects.get(name="Till").created_by == hanna
    assert page.headers["Cache-Control"] == "private, no-store"
    assert secret not in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"name": "Till"}, "password", "Must be your own password."),
        ({"name": "Till", "password": ""}, "password", "This field is required."),
        ({"name": "Till", "password": PASSWORD + " "}, "password", "Must be your own password."),
        ({"name": "two words", "password": PASSWORD}, "name", "1 to 20 letters and digits"),
        ({"name": "Tíll", "password": PASSWORD}, "name", "1 to 20 letters and digits"),
        ({"name": "x" * 21, "password": PASSWORD}, "name", "at most 20 characters"),
        ({"name": "", "password": PASSWORD}, "name", "This field is required."),
        ({"name": "Robot", "password": PASSWORD}, "name", "An API account has this name already."),
        ({"name": "a\0b", "password": PASSWORD}, "name", "Null characters are not allowed."),
    ],
)
def test_a_refused_account_keeps_its_name_and_says_why(
    hanna: User, typed: dict[str, str], field: str, said: str
) -> None:
    client, before = login(hanna), snapshot()

    page = client.post(f"{PAGE}add/", {"password": "wrong"} | typed)

    assert page.status_code == 400
    assert said in page.context["form"].errors[field][0]
    assert page.context["form"]["name"].value() == typed["name"]
    assert PASSWORD not in page.content.decode()
    assert snapshot() == before


def test_the_password_cannot_be_guessed_in_an_open_session(hanna: User) -> None:
    client = login(hanna)
    for number in range(10):
        client.post(f"{PAGE}add/", {"name": "Till", "password": f"guess {number}"})

    page = client.post(f"{PAGE}add/", {"name": "Till", "password": PASSWORD})

    assert "Was wrong too often. Wait a minute, then try again." in words(page)
    assert not ApiAccount.objects.filter(name="Till").exists()


def test_deleting_asks_and_ends_the_tokens(cast: Cast) -> None:
    token, hanna = bearer(cast.robot), login(cast.hanna)
    assert "Delete the API account Robot?" in words(hanna.get(PAGE))

    page = hanna.post(f"{PAGE}delete/", {"name": "Robot"}, follow=True)

    assert "The API account Robot is deleted; its tokens have ended." in words(page)
    assert AccessToken.objects.count() == 0
    assert graphql(token, "/hub/graphql/", HUB_DOCUMENTS["viewer"]).refused(401)


@pytest.mark.parametrize("name", ["Nobody", "", "\0", "x" * 5000])
def test_an_account_that_is_gone_cannot_be_deleted_again(cast: Cast, name: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(f"{PAGE}delete/", {"name": name}, follow=True, headers={"Referer": f"http://testserver{PAGE}"})

    assert "There is no API account of this name." in words(page)
    assert snapshot() == before


@pytest.mark.parametrize(("who", "status"), [("milo", 403), ("vera", 403), ("ada", 404)])
def test_only_admins_make_and_delete_accounts(cast: Cast, who: str, status: int) -> None:
    user = getattr(cast, who)
    user.set_password(PASSWORD)
    user.save()
    client, before = login(user), snapshot()

    assert client.get(f"{PAGE}add/").status_code == status
    assert client.post(f"{PAGE}add/", {"name": "Till", "password": PASSWORD}).status_code == status
    assert client.post(f"{PAGE}delete/", {"name": "Robot"}).status_code == status
    assert snapshot() == before


def test_whoever_may_only_look_sees_no_buttons(cast: Cast) -> None:
    page = login(cast.vera).get(PAGE)

    assert "Add API account" not in words(page)
    assert "Delete" not in words(page)


def test_an_instance_without_software_says_what_to_do_first(cast: Cast) -> None:
    cast.robot.delete()

    assert "No software signs in yet" in words(login(cast.hanna).get(PAGE))


def test_many_accounts_cost_as_many_queries_as_few(cast: Cast) -> None:
    client = login(cast.hanna)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    ApiAccountFactory.create_batch(30, created_by=cast.milo)
    with CaptureQueriesContext(connection) as many:
        page = client.get(PAGE)

    assert len(page.context["table"].paginated_rows) == 25
    assert len(many) == len(few) <= 12


def test_the_list_tells_what_each_may_do_and_from_where_it_was_used(cast: Cast) -> None:
    ApiAccountFactory.create(name="Till", read_only=True, tenant=cast.shoes, last_used_from="192.0.2.0/24")
    ApiAccountFactory.create(name="Zone", expires_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))

    page = words(login(cast.vera).get(PAGE))

    assert f"Looks only only in Shoes ({cast.shoes.pk}) Never from 192.0.2.0/24" in page
    assert "Has expired All that an admin of the host may until March 1, 2026, 12:30 UTC" in page


def test_an_account_is_made_with_a_scope(hanna: User, cast: Cast) -> None:
    typed = {"name": "Till", "password": PASSWORD, "read_only": "on", "tenant_id": cast.shoes.pk}

    login(hanna).post(f"{PAGE}add/", typed | {"expires_at": "2999-03-31T18:00"})

    till = ApiAccount.objects.get(name="Till")
    assert (till.read_only, till.tenant, till.expires_at) == (True, cast.shoes, datetime(2999, 3, 31, 18, tzinfo=UTC))


def test_what_an_account_may_do_is_changed_and_what_was_not_touched_stays(cast: Cast) -> None:
    end = datetime(2999, 3, 31, 18, 0, 59, 1, tzinfo=UTC)
    till = ApiAccountFactory.create(name="Till", tenant=cast.shoes, expires_at=end)
    hanna = login(cast.hanna)
    form = hanna.get(f"{PAGE}Till/scope/").context["form"]
    typed = {"tenant_id": form["tenant_id"].value(), "expires_at": "2999-03-31T18:00", "read_only": "on"}

    page = hanna.post(f"{PAGE}Till/scope/", typed, follow=True)

    assert "What the API account Till may do is saved." in words(page)
    till.refresh_from_db()
    assert (till.read_only, till.tenant, till.expires_at) == (True, cast.shoes, end)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"tenant_id": "Missing8"}, "tenant_id", "Must be the id of an account."),
        ({"tenant_id": "a\0b"}, "tenant_id", "Null characters are not allowed."),
        ({"expires_at": "2001-01-01T00:00"}, "expires_at", "Must be in the future."),
        ({"expires_at": "soon"}, "expires_at", "Enter a valid date/time."),
    ],
)
def test_a_scope_that_cannot_be_says_why(cast: Cast, typed: dict[str, str], field: str, said: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(f"{PAGE}Robot/scope/", typed)

    assert (page.status_code, page.context["form"].errors[field]) == (400, [said])
    assert snapshot() == before


def test_a_new_secret_is_shown_once_and_the_former_one_is_good_for_a_while(hanna: User) -> None:
    client = login(hanna)
    former = secret_in(client.post(f"{PAGE}add/", {"name": "Till", "password": PASSWORD}))

    page = client.post(f"{PAGE}Till/secret/", {"overlap_hours": 2, "password": PASSWORD})

    assert "Till has a new secret" in words(page)
    assert "The former secret is good until:" in words(page)
    assert page.headers["Cache-Control"] == "private, no-store"
    assert all(check_credentials(name="Till", secret=secret) for secret in (former, secret_in(page)))
    assert "Two secrets are good now" in words(client.get(f"{PAGE}Till/scope/"))


@pytest.mark.parametrize("typed", [{"password": "wrong"}, {"overlap_hours": 169}, {"overlap_hours": ""}])
def test_a_refused_rotation_changes_nothing(hanna: User, typed: dict[str, object]) -> None:
    client, before = login(hanna), snapshot()
    page = client.post(f"{PAGE}Robot/secret/", {"overlap_hours": 2, "password": PASSWORD} | typed)
    assert page.status_code == 400
    assert list(page.context["rotation"].errors) == list(typed)
    assert snapshot() == before


def test_a_form_that_is_out_of_date_takes_no_bound_away(cast: Cast) -> None:
    client = login(cast.hanna)
    page = client.get(f"{PAGE}Robot/scope/").content.decode()
    shown = html.unescape(re.findall(r'name="shown" value="([^"]+)"', page)[0])
    ApiAccount.objects.filter(name="Robot").update(tenant=cast.shoes)

    refused = client.post(f"{PAGE}Robot/scope/", {"read_only": "on", "tenant_id": "", "expires_at": "", "shown": shown})

    assert refused.status_code == 400
    assert "Somebody has changed this meanwhile." in words(refused)
    assert ApiAccount.objects.get(name="Robot").tenant == cast.shoes
