"""Every page, every kind of visitor: who gets in, who is sent away, and that a refusal changes nothing.

``pages.txt`` is what must hold; the pages themselves are found in the URLconf, so that a new one cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponseBase
from django.test import Client
from django.urls import resolve, reverse

from accounts.models import Tenant, TenantStatus, User
from tests.addresses import SERVED, address
from tests.base import Cast, login, snapshot, undone
from tests.stage import Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

VISITORS = ("nobody", "outsider", "view", "manage", "admin", "host-view", "host-manage", "host-admin")
METHODS = ("GET", "POST")
#: Of software, not of people: tests/permissions/test_graphql.py and tests/events see to them.
NOT_PAGES = {"hub_graphql", "capig_graphql", "token", "revoke_token", "introspect_token", "oauth_metadata"}
#: allauth's and hijack's pages have no accounts: who has signed in may open them, some open to all.
OF_ONESELF = ("account_", "mfa_", "usersessions_", "verify_", "prove_", "send_proof", "set_language", "hijack:")
#: What is posted where something must be; elsewhere nothing, which an allowed form refuses in its own way.
BODIES = {"host:api_console": {"endpoint": "hub"}}


@dataclass(frozen=True)
class Page:
    """A page, and the right that it asks for by method; no right where it does not take the method."""

    name: str
    rights: dict[str, str | None]

    def __str__(self) -> str:
        return self.name


def _read() -> tuple[dict[tuple[str, str], dict[str, str]], list[Page]]:
    lines = (Path(__file__).parent / "pages.txt").read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    rights = {
        (right, account): dict(zip(VISITORS, cells, strict=True)) for right, account, *cells in rows if len(cells) > 1
    }
    pages = [
        Page(row[0], {method: None if cell == "-" else cell for method, cell in zip(METHODS, row[1:], strict=True)})
        for row in rows
        if len(row) == 1 + len(METHODS)
    ]
    return rights, pages


RIGHTS, PAGES = _read()


#: Pages of staff that need no argument, but for those that lead to allauth's.
STAFF = sorted(
    name
    for name, pattern in SERVED.items()
    if name.startswith("admin:") and not pattern.pattern.regex.groups and name not in ("admin:login", "admin:logout")
)


def test_every_page_is_in_the_table() -> None:
    others = ("admin:", "api:", *OF_ONESELF)
    pages = {name for name in SERVED if name not in NOT_PAGES and not name.startswith(others)} | {"account_overview"}

    assert {page.name for page in PAGES} == pages
    assert {right for page in PAGES for right in page.rights.values() if right} <= {right for right, _ in RIGHTS}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_is_open_to_those_whose_role_allows_it_and_nobody_else(
    cast: Cast, page: Page, subtests: pytest.Subtests
) -> None:
    sessions = {person.pk: _session_of(person) for person in vars(cast).values() if isinstance(person, User)}
    for method, right in page.rights.items():
        for account in (account for wanted, account in RIGHTS if wanted == right):
            with undone():
                stage = make_stage(cast.books if account == "own" else cast.shoes)
                _set_status(stage.tenant, account)
                for visitor, expected in RIGHTS[right or "", account].items():
                    with subtests.test(method=method, account=account, visitor=visitor), undone():
                        person = _person(cast, visitor, account)
                        client = _browser(sessions[person.pk]) if person else Client()
                        _assert_answer(client, method, page.name, stage, expected)


@pytest.mark.parametrize("page", [page for page in PAGES if None in page.rights.values()], ids=str)
def test_a_page_takes_the_methods_that_it_names(cast: Cast, page: Page) -> None:
    stage = make_stage(cast.shoes)
    for method in (method for method, right in page.rights.items() if right is None):
        path = address(page.name, stage.pixel, stage.member.pk, stage.host_member.pk)
        assert _ask(login(cast.hanna), method, page.name, path).status_code == 405


def _set_status(tenant: Tenant, account: str) -> None:
    if account == "deactivated":
        Tenant.objects.filter(pk=tenant.pk).update(status=TenantStatus.DEACTIVATED)


def _person(cast: Cast, visitor: str, account: str) -> User | None:
    own = account == "own"
    return {
        "nobody": None,
        "outsider": cast.olaf,
        "view": cast.bibi if own else cast.vic,
        "manage": cast.bruno if own else cast.max,
        "admin": cast.bea if own else cast.ada,
        "host-view": cast.vera,
        "host-manage": cast.milo,
        "host-admin": cast.hanna,
    }[visitor]


def _session_of(person: User) -> str:
    return login(person).cookies[settings.SESSION_COOKIE_NAME].value


def _browser(session: str) -> Client:
    """A new one, for somebody who has signed in."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client


def _assert_answer(client: Client, method: str, name: str, stage: Stage, expected: str) -> None:
    path = address(name, stage.pixel, stage.member.pk, stage.host_member.pk)
    before = snapshot() if expected != "ok" else None

    answer = _ask(client, method, name, path)

    assert _as_word(answer) == expected
    assert before is None or snapshot() == before


def _ask(client: Client, method: str, name: str, path: str) -> HttpResponseBase:
    client.raise_request_exception = False
    return client.post(path, BODIES.get(name, {})) if method == "POST" else client.get(path)


def _as_word(answer: HttpResponseBase) -> str:
    """The answer in the table's words: a form that lacks what it needs was allowed."""
    if answer.status_code == 302:
        return "in" if resolve(answer.headers["Location"].partition("?")[0]).url_name == "account_login" else "ok"
    return "ok" if answer.status_code in (200, 204, 400, 409, 422) else str(answer.status_code)


@pytest.mark.parametrize("name", STAFF)
def test_staffs_pages_are_for_the_hosts_admins(cast: Cast, name: str, subtests: pytest.Subtests) -> None:
    for visitor, expected in RIGHTS["staff", "-"].items():
        with subtests.test(visitor=visitor):
            person = _person(cast, visitor, "managed")
            answer = (login(person) if person else Client()).get(reverse(name))
            if expected == "ok":
                # What staff may not do either, such as adding an audit entry, is refused to them.
                assert answer.status_code in (200, 302, 403)
                assert _as_word(answer) != "in"
            else:
                assert answer.status_code == 302
