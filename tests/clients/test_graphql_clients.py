"""Apollo Client and Relay's compiler, as they are, against a running portal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.utils import timezone
from graphql import build_client_schema, get_introspection_query, print_schema

from accounts.models import RoleLevel, Tenant
from events.figures.counting import Tally
from tests.base import Cast, bearer, make_cast, tenant
from tests.clients.packages import FOLDER, run_node
from tests.factories import DomainFilterFactory, EventFilterFactory, MembershipFactory, PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ACCOUNTS = """import {graphql} from "relay-runtime";

export const accounts = graphql`
  query AccountsQuery($count: Int!, $cursor: String) { ...Accounts_list @arguments(count: $count, cursor: $cursor) }
`;

export const list = graphql`
  fragment Accounts_list on Query
  @argumentDefinitions(count: {type: "Int!"}, cursor: {type: "String"}) {
    tenants(first: $count, after: $cursor) @connection(key: "Accounts_tenants") {
      edges { node { id name tenantUsage { totalPixels } } }
    }
  }
`;
"""


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def hats(cast: Cast) -> Tenant:
    """An account like Shoes: Ada is there too, in another role, and names and websites are the same."""
    hats = tenant("Hats")
    MembershipFactory.create(user=cast.ada, tenant=hats, level=RoleLevel.VIEW)
    for events, account in enumerate((cast.shoes, hats), start=1):
        tally = Tally()
        for minutes in (0, 30):
            tally.add(timezone.now() - timedelta(minutes=minutes), "Purchase", "example.com", "received", events)
        tally.write(PixelFactory.create(tenant=account).pk)
        state = "DROP" if account is hats else "PUBLISH"
        EventFilterFactory.create(tenant=account, event_name="Purchase", state=state)
        DomainFilterFactory.create(tenant=account, domain="example.com", state=state)
    return hats


@pytest.fixture
def gateway(tmp_path: Path, hats: Tenant) -> Iterator[str]:
    with Instance(tmp_path, "http://127.0.0.1:1") as instance:
        instance.start_web()
        yield instance.url


@pytest.fixture
def seen(gateway: str, cast: Cast, hats: Tenant) -> dict[str, Any]:
    """What Apollo Client has seen of both accounts."""
    asked = {
        "gateway": gateway,
        "token": bearer(cast.robot),
        "tenants": [cast.shoes.pk, hats.pk],
        "page": str(settings.ROOT / "docs" / "graphql-clients.md"),
    }
    return dict(json.loads(run_node("apollo.cjs", json.dumps(asked))))


def test_apollo_client_falls_back_to_documents_and_keeps_accounts_apart(seen: dict[str, Any]) -> None:
    assert seen["persistedByPost"] == {
        "names": ["Shoes", "Hats"],
        "requests": ["POST hash", "POST document", "POST document"],
    }
    assert seen["persistedByGet"]["names"] == ["Shoes", "Hats"]
    assert seen["persistedByGet"]["requests"][0] == "GET hash"
    assert not any("hash" in request for request in seen["persistedByGet"]["requests"][1:])

    # What the cache has kept of each question is what was answered to it: with the page's policies, and not without.
    assert seen["withPolicies"]["kept"] == seen["withPolicies"]["answered"]
    assert seen["plain"]["kept"] != seen["plain"]["answered"]
    # It could have differed: the accounts' answers do.
    half = len(seen["withPolicies"]["answered"]) // 2
    first, second = seen["withPolicies"]["answered"][:half], seen["withPolicies"]["answered"][half:]
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_relays_compiler_takes_the_schema_and_its_connections(gateway: str, cast: Cast, tmp_path: Path) -> None:
    answer = httpx.post(
        f"{gateway}/hub/graphql/",
        json={"query": get_introspection_query()},
        headers={"Authorization": f"Bearer {bearer(cast.robot)}"},
    )
    project = tmp_path / "relay"
    (project / "src").mkdir(parents=True)
    schema = print_schema(build_client_schema(answer.raise_for_status().json()["data"]))
    (project / "schema.graphql").write_text(schema, encoding="utf-8")
    (project / "src" / "Accounts.ts").write_text(ACCOUNTS, encoding="utf-8")
    config = {"src": "./src", "schema": "./schema.graphql", "language": "typescript"}
    (project / "relay.config.json").write_text(json.dumps(config), encoding="utf-8")

    run_node(str(FOLDER / "node_modules" / "relay-compiler" / "cli.js"), cwd=project)

    made = (project / "src" / "__generated__" / "AccountsQuery.graphql.ts").read_text(encoding="utf-8")
    assert "hasNextPage" in made
