"""An answer costs no more than GRAPHQL_MAX_OBJECTS allows, whatever the document's own size (docs/decisions/0021)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import reads
from accounts.models import RoleLevel, Tenant, User
from accounts.schema import mutations
from common.graphql import documents
from common.graphql.fallbacks import fallbacks
from common.statements import Statement
from events.models import Counter, SeenLabel
from tests.base import CAPIG, HUB, Answer, Cast, client_of, graphql, tenant
from tests.factories import (
    DeadLetterFactory,
    DomainFilterFactory,
    EventFilterFactory,
    MembershipFactory,
    OutboxRowFactory,
    PixelFactory,
    UserFactory,
)

#: So many people, each in so many accounts.
CROWD = 12
LIMIT = 100

WORST = {
    "people's accounts": "{ tenants(first: 200) { edges { node { users { tenants { name } } } } } }",
    "fifteen times": "{ "
    + " ".join(f"a{number}: tenants(first: 200) {{ edges {{ node {{ ...t }} }} }}" for number in range(15))
    + " } fragment t on Tenant { users { tenants { name } } }",
    "people of accounts of people": """{ tenants(first: 200) { edges { node {
        users { tenants { users { tenants { users { tenants { name } } } } } } } } } }""",
    "what is not shown": "{ tenants(first: 200) { edges { node { users { defaultTenantId } } } } }",
    "graphql-core": "{ tenants(first: 200) { edges { node { users { tenants { name @skip(if: false) } } } } } }",
    "one account": 'query { tenant(tenantId: "$id") { users { tenants { users { tenants { name } } } } } }',
    "one account, often": "{ "
    + " ".join(f'a{number}: tenant(tenantId: "$id") {{ users {{ tenants {{ name }} }} }}' for number in range(15))
    + " }",
    "a change": """mutation { tenantMutations { updateTenant(input: { tenantId: "$id", name: "Boots" }) {
        tenant { name users { tenants { users { tenants { name } } } } } } } }""",
}


@pytest.fixture
def crowd(cast: Cast) -> Tenant:
    """Everybody is in every account."""
    people = UserFactory.create_batch(CROWD)
    accounts = [tenant(f"Account {number}") for number in range(CROWD)]
    for account in accounts:
        for person in people:
            MembershipFactory.create(tenant=account, user=person, level=RoleLevel.VIEW)
    return accounts[0]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each statement of a read model has given, those below them included."""
    found: list[int] = []
    plain = Statement.all

    def all_of(self: Statement[Any], *guard: Any, **values: Any) -> list[Any]:
        rows = plain(self, *guard, **values)
        found.append(sum(map(_rows_in, rows)))
        return rows

    with monkeypatch.context() as patched:
        patched.setattr(Statement, "all", all_of)
        yield found


def _rows_in(row: Any) -> int:
    if isinstance(row, reads.TenantView):
        return 1 + sum(map(_rows_in, row.members or ())) + len(row.pixels or ())
    if isinstance(row, reads.Member):
        return 1 + len(row.memberships or ())
    return 1


def ask(caller: Client | User, document: str, account: Tenant, endpoint: str = HUB) -> Answer:
    pixel = account.pixels.order_by("pk").first()
    document = document.replace("$id", account.pk).replace("$pixel", pixel.pixel_id if pixel else "")
    return graphql(caller, endpoint, document)


@pytest.mark.parametrize("name", WORST)
def test_the_worst_query_loads_no_more_rows_than_an_answer_may_hold(
    name: str, cast: Cast, crowd: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GRAPHQL_MAX_OBJECTS = LIMIT
    client = client_of(cast.robot)

    with counted(monkeypatch) as rows:
        answer = ask(client, WORST[name], crowd)

    assert answer.refused(400)
    assert f"{LIMIT} objects" in answer.message
    # The page of accounts and the caller's own rows come with it.
    assert sum(rows) <= LIMIT + CROWD + 10, rows


def test_a_person_is_loaded_once_however_often_they_are_listed(
    cast: Cast, crowd: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(cast.robot)
    with counted(monkeypatch) as rows:
        answer = ask(client, WORST["people's accounts"], crowd)

    shown = answer.data["tenants"]["edges"]
    assert sum(len(user["tenants"]) for edge in shown for user in edge["node"]["users"]) > CROWD**3
    # Members of each account, and of each person the accounts.
    assert sum(rows) < 2 * CROWD**2 + 50


@pytest.mark.parametrize("name", [name for name in WORST if name not in ("graphql-core", "a change")])
def test_a_refusal_by_the_limit_does_not_run_again(
    name: str, cast: Cast, crowd: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GRAPHQL_MAX_OBJECTS = LIMIT
    monkeypatch.setattr(documents, "execute_sync", pytest.fail)
    before = fallbacks.total()

    assert ask(client_of(cast.robot), WORST[name], crowd).refused(400)
    assert fallbacks.total() == before


def test_in_graphql_core_a_refusal_by_the_limit_ends_the_query(cast: Cast, settings: Any) -> None:
    """Else each of thirty aliases would be tried, and the others' answers given."""
    settings.GRAPHQL_MAX_OBJECTS = 2
    document = '{ a: tenant(tenantId: "$id") { users { id @skip(if: false) } } viewer { kind } }'

    answer = ask(cast.ada, document, cast.shoes)

    assert answer.refused(400)
    assert (
        answer.message
        == "users: the answer would hold more than 2 objects, or too many values; ask for less at a time."
    )


def test_an_answer_at_the_limit_of_objects_is_given(cast: Cast, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 6
    document = 'query { tenant(tenantId: "$id") { users { roles { name } } } }'

    assert ask(cast.ada, document, cast.shoes).status == 200
    settings.GRAPHQL_MAX_OBJECTS = 5
    assert ask(cast.ada, document, cast.shoes).refused(400)


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        (HUB, "viewer { tenantIds }"),
        (HUB, 'tenant(tenantId: "$id") { tenantUsage { pixelIds } }'),
        (HUB, "tenants { edges { node { tenantUsage { pixelIds } } } }"),
        (CAPIG, 'tenantQueries(tenantId: "$id") { account { signalConfigs { id } } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { eventFilters { id } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { domainFilters { id } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { account { signalConfigs { domains } } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { eventMetrics(timeWindowMin: 43200) { domainActivity { id } } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { deliveries(pixelId: "$pixel") { edges { cursor } } }'),
        (CAPIG, 'tenantQueries(tenantId: "$id") { deadLetters(pixelId: "$pixel", first: 1) { edges { cursor } } }'),
    ],
)
def test_lists_of_every_kind_are_bounded(cast: Cast, settings: Any, endpoint: str, field: str) -> None:
    """Ten scalars count as an object, a kilobyte of events, a hundred counters: of some lists there is nothing else."""
    first = PixelFactory.create(tenant=cast.shoes)
    for number in range(20):
        SeenLabel.objects.create(
            pixel=first, dimension=Counter.Dimension.WEBSITE, label=f"{number}.example.com", last_seen=timezone.now()
        )
    DeadLetterFactory.create_batch(2, pixel=first, event=b"{" + b" " * 10_000 + b"}")
    OutboxRowFactory.create_batch(5, pixel=first)
    for number in range(25):
        pixel = PixelFactory.create(tenant=cast.shoes)
        EventFilterFactory.create(pixel=pixel)
        DomainFilterFactory.create(pixel=pixel)
        tenant(f"Another {number}")
    settings.GRAPHQL_MAX_OBJECTS = 30
    thirty = "{ " + " ".join(f"a{number}: {field}" for number in range(30)) + " }"

    assert ask(client_of(cast.robot), f"{{ {field} }}", cast.shoes, endpoint).status == 200
    assert ask(client_of(cast.robot), thirty, cast.shoes, endpoint).refused(400)


@pytest.mark.parametrize("directive", ["", " @skip(if: false)"])
def test_values_count_too(cast: Cast, settings: Any, directive: str) -> None:
    """Thirty aliases make a large answer of few objects."""
    settings.GRAPHQL_MAX_OBJECTS = 3
    aliases = " ".join(f"a{number}: email" for number in range(12))
    document = f'{{ tenant(tenantId: "$id") {{ users {{ id{directive} %s }} }} }}'

    assert ask(cast.ada, document % "", cast.shoes).status == 200
    assert ask(cast.ada, document % aliases, cast.shoes).refused(400)


def test_a_mutation_is_answered_in_full(cast: Cast, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 3
    document = """mutation { tenantMutations {
        updateTenant(input: { tenantId: "$id", name: "Boots" }) { tenant { name users { id } } } } }"""

    answer = ask(cast.ada, document, cast.shoes)

    assert answer.status == 200
    assert len(answer.data["tenantMutations"]["updateTenant"]["tenant"]["users"]) == 3


def test_a_mutation_that_asks_for_too_much_has_happened_and_says_so(cast: Cast, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 2
    document = """mutation { tenantMutations {
        updateTenant(input: { tenantId: "$id", name: "Boots" }) { tenant { name users { id } } } } }"""

    answer = ask(cast.ada, document, cast.shoes)

    assert "the change was made" in answer.message
    cast.shoes.refresh_from_db()
    assert cast.shoes.name == "Boots"


def test_once_too_much_was_asked_for_mutations_happen_and_nothing_more_is_read(
    cast: Cast, crowd: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under many aliases a mutation's answer costs no more than under one."""
    settings.GRAPHQL_MAX_OBJECTS = 2 * CROWD**2
    accounts = list(Tenant.objects.filter(name__startswith="Account").order_by("pk"))
    changes = " ".join(
        f'a{n}: updateTenant(input: {{ tenantId: "{account.pk}", name: "New {n}" }}) {{ tenant {{ ...t }} }}'
        for n, account in enumerate(accounts)
    )
    document = (
        f"mutation {{ tenantMutations {{ {changes} }} }} fragment t on Tenant {{ users {{ tenants {{ name }} }} }}"
    )
    read: list[str] = []

    def noted(principal: Any, tenant_id: str, selection: Any) -> reads.TenantView:
        read.append(tenant_id)
        return reads.read_tenant(principal, tenant_id, selection)

    monkeypatch.setattr(mutations, "read_tenant", noted)

    answer = ask(client_of(cast.robot), document, crowd)

    assert Tenant.objects.filter(name__startswith="New").count() == CROWD
    assert len(read) == 2  # one that fits, and the one that does not
    assert [bool(each) for each in answer.data["tenantMutations"].values()] == [True] + [False] * (CROWD - 1)
    assert "the change was made" in answer.message
