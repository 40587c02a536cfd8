"""A domain is verified in one account only: the one that had it first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from accounts.models import AuditEntry, IngressDomain, Tenant
from accounts.principals import OPERATOR
from accounts.services import routing
from accounts.services.routing import DnsAnswer, DnsOutcome, upsert_ingress_domain
from common.errors import InvalidInput
from tests.base import HUB, Cast, graphql, snapshot
from tests.factories import IngressDomainFactory

VERIFIED = IngressDomain.Status.VERIFIED
DOCUMENT = """mutation($id: ID!, $input: IngressDomainInput!) {
    upsertIngressDomain(tenantId: $id, input: $input) { ingress } }"""


def leads_here(domain: str) -> DnsAnswer:
    return DnsAnswer(DnsOutcome.CNAME, "gateway.example.net")


def choose(tenant_id: str) -> IngressDomain:
    return upsert_ingress_domain(
        principal=OPERATOR,
        tenant_id=tenant_id,
        ingress="Events.example.com",
        target_domain="gateway.example.net",
        look_up=leads_here,
    ).domain


def test_a_domain_that_another_account_has_verified_is_refused(cast: Cast) -> None:
    choose(cast.shoes.pk)
    before = snapshot()

    with pytest.raises(InvalidInput, match="ingress: is verified in another account"):
        choose(cast.other.pk)

    assert snapshot() == before


def test_graphql_says_so(cast: Cast) -> None:
    choose(cast.shoes.pk)
    chosen = {"ingress": "events.example.com", "targetDomain": "gateway.example.net"}

    answer = graphql(cast.robot, HUB, DOCUMENT, {"id": cast.other.pk, "input": chosen})
    assert answer.errors[0]["extensions"]["code"] == 400
    assert "is verified in another account" in answer.errors[0]["message"]


def test_two_accounts_may_wait_for_one_domain(cast: Cast) -> None:
    IngressDomainFactory.create(tenant=cast.shoes)
    IngressDomainFactory.create(tenant=cast.other)

    assert choose(cast.other.pk).status == VERIFIED


def test_of_two_at_the_same_time_one_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other account's row comes between our look and our write."""
    look = routing._refuse_anothers
    looks = [look, lambda *_: None]

    def look_too_early(*args: str) -> None:
        looks.pop()(*args)

    monkeypatch.setattr(routing, "_refuse_anothers", look_too_early)
    IngressDomainFactory.create(tenant=cast.shoes, status=VERIFIED)

    with pytest.raises(InvalidInput, match="is verified in another account"):
        choose(cast.other.pk)

    assert not IngressDomain.objects.filter(tenant=cast.other).exists()


def test_the_database_holds_to_it(cast: Cast) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, status=VERIFIED)
    with pytest.raises(IntegrityError), transaction.atomic():
        IngressDomainFactory.create(tenant=cast.other, status=VERIFIED)


def verified_in_three(accounts: Any, domains: Any, entries: Any) -> None:
    """Three accounts have verified a domain one after the other, two of them the same."""
    for tenant_id in ("first000", "second00", "another0"):
        accounts.create(id=tenant_id, name=tenant_id)
        ingress = "events.example.org" if tenant_id == "another0" else "events.example.com"
        domains.create(tenant_id=tenant_id, ingress=ingress, target_domain="gateway.example.net", status="VERIFIED")
        entries.create(
            tenant_id=tenant_id,
            actor="a",
            act="set data routing",
            subject=ingress,
            changes={"status": ["PENDING", "VERIFIED"]},
        )


def assert_the_first_has_it() -> None:
    assert dict(IngressDomain.objects.values_list("tenant_id", "status")) == {
        "first000": "VERIFIED",
        "second00": "PENDING",
        "another0": "VERIFIED",
    }
    told = AuditEntry.objects.get(actor="schedule")
    assert (told.tenant_id, told.changes) == ("second00", {"status": ["VERIFIED", "PENDING"]})


@pytest.mark.django_db
def test_a_domain_is_left_to_the_account_that_had_it_first() -> None:
    migration = import_module("accounts.migrations.0008_domain_verified_in_one_account")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX domain_verified_in_one_account")  # which comes back when the test is rolled back
    verified_in_three(Tenant.objects, IngressDomain.objects, AuditEntry.objects)

    migration.keep_the_first(apps, None)

    assert_the_first_has_it()


@pytest.mark.slow  # all migrations that came after it, back and forth
@pytest.mark.django_db(transaction=True)
def test_the_migration_leaves_a_domain_to_the_account_that_had_it_first() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", "0007_invitation_shown_to")])
    before = executor.loader.project_state([("accounts", "0007_invitation_shown_to")]).apps
    try:
        verified_in_three(
            *(before.get_model("accounts", name).objects for name in ("Tenant", "IngressDomain", "AuditEntry"))
        )

        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

        assert_the_first_has_it()
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
