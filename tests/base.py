"""The cast of the tests, and the ways in: real HTTP requests to the real addresses.

The host: Hanna (admin), Milo (manage), Vera (view) and the API account Robot.
Shoes, an account that the host manages: Ada (admin), Max (manage), Vic (view).
Books, an account of its own (``canPartnerManage`` false): Bea (admin), Bruno (manage), Bibi (view).
Other, where Olaf is admin: he has nothing to do with Shoes and Books.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dns.exception
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiAccount, Membership, RoleLevel, Tenant, UsageSnapshot, User
from tests.factories import (
    AccessTokenFactory,
    ApiAccountFactory,
    MembershipFactory,
    TenantFactory,
    UsageSnapshotFactory,
    UserFactory,
)

HUB = "/hub/graphql/"
CAPIG = "/capig/graphql/"

#: Who calls: nobody, a person by session, an API account or a token by bearer, or a client made by the test.
Caller = Client | User | ApiAccount | str | None
#: Every row of our own tables; of PostgreSQL's in one text each.
Snapshot = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Cast:
    """Everybody that a story needs."""

    hanna: User
    milo: User
    vera: User
    robot: ApiAccount

    shoes: Tenant
    ada: User
    max: User
    vic: User

    books: Tenant
    bea: User
    bruno: User
    bibi: User

    other: Tenant
    olaf: User


def make_cast() -> Cast:
    """Put the cast on stage."""
    # As tenant() and person() would, in five statements: most tests begin with it.
    shoes, other = TenantFactory.build(name="Shoes"), TenantFactory.build(name="Other")
    books = TenantFactory.build(name="Books", can_partner_manage=False)
    accounts = Tenant.objects.bulk_create([shoes, books, other])
    UsageSnapshot.objects.bulk_create(UsageSnapshotFactory.build(tenant=each) for each in accounts)
    roles = {
        "hanna": (None, RoleLevel.ADMIN),
        "milo": (None, RoleLevel.MANAGE),
        "vera": (None, RoleLevel.VIEW),
        "ada": (shoes, RoleLevel.ADMIN),
        "max": (shoes, RoleLevel.MANAGE),
        "vic": (shoes, RoleLevel.VIEW),
        "bea": (books, RoleLevel.ADMIN),
        "bruno": (books, RoleLevel.MANAGE),
        "bibi": (books, RoleLevel.VIEW),
        "olaf": (other, RoleLevel.ADMIN),
    }
    people = {
        name: UserFactory.build(email=f"{name}@example.com", default_tenant=account)
        for name, (account, _) in roles.items()
    }
    User.objects.bulk_create(people.values())
    Membership.objects.bulk_create(
        MembershipFactory.build(user=people[name], tenant=account, level=level)
        for name, (account, level) in roles.items()
    )
    return Cast(robot=ApiAccountFactory.create(name="Robot"), shoes=shoes, books=books, other=other, **people)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, in the test's database."""
    return make_cast()


@pytest.fixture(autouse=True)
def _no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a real DNS server: every look-up fails."""

    def resolve(*args: Any, **kwargs: Any) -> None:
        raise dns.exception.Timeout

    monkeypatch.setattr("dns.resolver.resolve", resolve)


@pytest.fixture
def registers(settings: Any) -> None:
    """Let the instance register pixels: a sandbox stands in Meta's place, which nobody serves."""
    settings.GRAPH_API_URL = "http://127.0.0.1:9"


@contextmanager
def undone() -> Iterator[None]:
    """Undo, at the end, what the block has written."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def tenant(name: str, **values: Any) -> Tenant:
    """An account as ``create_tenant`` leaves it."""
    made = TenantFactory.create(name=name, **values)
    UsageSnapshotFactory.create(tenant=made)
    return made


def person(name: str, tenant: Tenant | None, level: RoleLevel, *, domain: str = "example.com", **values: Any) -> User:
    """Somebody with one role, accepted: in the account, or at the host where there is none."""
    user = UserFactory.create(email=f"{name}@{domain}", default_tenant=tenant, **values)
    MembershipFactory.create(user=user, tenant=tenant, level=level)
    return user


def bearer(api_account: ApiAccount, *, lifetime: timedelta = timedelta(hours=1)) -> str:
    """A new token of the API account; with a negative lifetime, one that has expired."""
    token = secrets.token_urlsafe(32)
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    AccessTokenFactory.create(api_account=api_account, token_hash=token_hash, expires_at=timezone.now() + lifetime)
    return token


def login(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    """A browser in which the person has signed in."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client


def client_of(caller: Caller) -> Client:
    """What the caller sends requests with."""
    if isinstance(caller, Client):
        return caller
    if isinstance(caller, User):
        return login(caller)
    token = bearer(caller) if isinstance(caller, ApiAccount) else caller
    return Client(headers={"Authorization": f"Bearer {token}"}) if token else Client()


@dataclass(frozen=True)
class Answer:
    """The answer to a GraphQL request."""

    status: int
    content_type: str
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.body.get("errors", []))

    @property
    def code(self) -> int | None:
        """The code of the first error, from its extensions; None where all went well."""
        return int(self.errors[0]["extensions"]["code"]) if self.errors else None

    @property
    def message(self) -> str:
        """The first error's message."""
        return str(self.errors[0]["message"]) if self.errors else ""

    def refused(self, code: int) -> bool:
        """Does the answer say ``code`` twice, in its status and in every error, and hold no data?"""
        codes = [error["extensions"]["code"] for error in self.errors]
        return self.status == code and bool(codes) and set(codes) == {code} and self.data is None


def graphql(
    caller: Caller,
    endpoint: str,
    document: str,
    variables: dict[str, Any] | None = None,
    *,
    accept: str = "application/json",
    **extra_headers: str,
) -> Answer:
    """Send the document as the caller."""
    response = client_of(caller).post(
        endpoint,
        json.dumps({"query": document, "variables": variables or {}}),
        content_type="application/json",
        headers={"Accept": accept, **extra_headers},
    )
    return Answer(response.status_code, response.headers["Content-Type"], json.loads(response.content))


def snapshot() -> Snapshot:
    """All rows of all our tables, the audit log's included: equal snapshots mean that nothing changed."""
    ours = ("accounts", "pixels", "filters", "pipelines", "events", "alerts")
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.app_label in ours]
    connection.ensure_connection()
    execute = connection.connection.execute  # past Django's wrappers: thousands of tests look twice
    if connection.vendor != "postgresql":
        return {table: execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}  # noqa: S608
    rows = execute(" UNION ALL ".join(f"SELECT '{table}', a_row::text FROM {table} a_row" for table in tables))  # noqa: S608
    found: Snapshot = {table: [] for table in tables}
    for table, row in sorted(rows.fetchall()):
        found[table].append((row,))
    return found
