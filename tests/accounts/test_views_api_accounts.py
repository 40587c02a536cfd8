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

    assert re.search(r"Robot \S+ \d+, \d+, \d\d:\d\d UTC Never", page)
    assert "by hanna@example.com March 1, 2026, 12:30 UTC" in page


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
