"""Data routing: an account's own domain and the check of its CNAME."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import dns.exception
import dns.resolver
import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import AuditEntry, IngressDomain
from accounts.principals import OPERATOR
from accounts.services.routing import (
    CnameLookup,
    DnsAnswer,
    DnsOutcome,
    look_up_cname,
    upsert_ingress_domain,
)
from common.errors import InvalidInput
from tests.base import HUB, Cast, graphql
from tests.factories import IngressDomainFactory

READ = """query($id: ID!) { ingressDomain(tenantId: $id) {
    id tenantName ingress tenant1pDomain tenant1pDomainStatus cnameResolveSuccess
    enhancementTenantIngressVerifiedResult { id tenantIngressVerified } } }"""


def in_dns(**answers: str) -> CnameLookup:
    """A DNS in which ``events`` stands for events.example.com."""

    def look_up(domain: str) -> DnsAnswer:
        cname = answers.get(domain.partition(".")[0])
        return DnsAnswer(DnsOutcome.CNAME if cname else DnsOutcome.NO_RECORD, cname)

    return look_up


def choose(cast: Cast, look_up: CnameLookup, ingress: str = "events.example.com") -> IngressDomain:
    return upsert_ingress_domain(
        principal=OPERATOR,
        tenant_id=cast.shoes.pk,
        ingress=ingress,
        target_domain="gateway.example.net",
        look_up=look_up,
    ).domain


def test_an_account_starts_without_a_domain(cast: Cast) -> None:
    assert graphql(cast.vic, HUB, READ, {"id": cast.shoes.pk}).data["ingressDomain"] == {
        "id": f"{cast.shoes.pk}:ingress",
        "tenantName": "Shoes",
        "ingress": None,
        "tenant1pDomain": None,
        "tenant1pDomainStatus": "DOMAIN_NOT_SELECTED",
        "cnameResolveSuccess": False,
        "enhancementTenantIngressVerifiedResult": None,
    }


def test_a_cname_that_leads_to_the_gateway_verifies_the_domain(cast: Cast) -> None:
    choose(cast, in_dns(events="gateway.example.net"))
    routing = graphql(cast.vic, HUB, READ, {"id": cast.shoes.pk}).data["ingressDomain"]
    assert routing["ingress"] == routing["tenant1pDomain"] == "events.example.com"
    assert routing["tenant1pDomainStatus"] == "VERIFIED"
    assert routing["cnameResolveSuccess"] is True
    assert routing["enhancementTenantIngressVerifiedResult"] == {
        "id": f"{cast.shoes.pk}:tenantIngressVerified",
        "tenantIngressVerified": True,
    }


@pytest.mark.parametrize("answer", [{}, {"events": "elsewhere.example.org"}])
def test_without_that_cname_the_domain_is_pending(cast: Cast, answer: dict[str, str]) -> None:
    assert choose(cast, in_dns(**answer)).status == IngressDomain.Status.PENDING

    routing = graphql(cast.vic, HUB, READ, {"id": cast.shoes.pk}).data["ingressDomain"]
    assert routing["ingress"] == routing["tenant1pDomain"] == "events.example.com"
    assert (routing["tenant1pDomainStatus"], routing["cnameResolveSuccess"]) == ("DOMAIN_NOT_SELECTED", False)
    assert routing["enhancementTenantIngressVerifiedResult"]["tenantIngressVerified"] is False


def test_the_samples_of_the_reference_are_read_the_right_way_round(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(name: str, *args: object, **kwargs: object) -> list[SimpleNamespace]:
        asked.append(name)
        return [SimpleNamespace(target="capig.targetdomain.com.")]

    monkeypatch.setattr("dns.resolver.resolve", resolve)
    document = """mutation($id: ID!, $input: IngressDomainInput!) {
        upsertIngressDomain(tenantId: $id, input: $input) { ingress tenant1pDomain tenant1pDomainStatus } }"""
    routing = {"ingress": "capig.advertiser.com", "targetDomain": "capig.targetDomain.com"}

    answer = graphql(cast.ada, HUB, document, {"id": cast.shoes.pk, "input": routing})

    assert asked == ["capig.advertiser.com"]
    assert answer.data["upsertIngressDomain"] == {
        "ingress": "capig.advertiser.com",
        "tenant1pDomain": "capig.advertiser.com",
        "tenant1pDomainStatus": "VERIFIED",
    }


def test_saying_the_same_again_checks_again(cast: Cast) -> None:
    choose(cast, in_dns())
    assert choose(cast, in_dns(events="gateway.example.net")).status == IngressDomain.Status.VERIFIED
    assert IngressDomain.objects.count() == 1


@pytest.mark.parametrize("domain", ["", "localhost", "https://events.example.com", "events.example.com/x", "a b.com"])
def test_a_domain_that_is_none_is_refused_before_dns_is_asked(cast: Cast, domain: str) -> None:
    def look_up(domain: str) -> DnsAnswer:
        raise AssertionError("asked")

    with pytest.raises(InvalidInput, match="ingress"):
        choose(cast, look_up, domain)
    assert not IngressDomain.objects.exists()


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (dns.resolver.NXDOMAIN, DnsOutcome.NO_DOMAIN),
        (dns.resolver.NoAnswer, DnsOutcome.NO_RECORD),
        (dns.resolver.NoNameservers, DnsOutcome.NO_ANSWER),
        (dns.exception.Timeout, DnsOutcome.NO_ANSWER),
        (OSError, DnsOutcome.NO_ANSWER),
    ],
)
def test_a_look_up_tells_why_there_is_no_cname(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception], outcome: DnsOutcome
) -> None:
    def resolve(*args: object, **kwargs: object) -> None:
        raise failure.__new__(failure)

    monkeypatch.setattr("dns.resolver.resolve", resolve)

    assert look_up_cname("events.example.com") == DnsAnswer(outcome)


def test_a_look_up_finds_the_cname(monkeypatch: pytest.MonkeyPatch) -> None:
    record = SimpleNamespace(target="Gateway.Example.NET.")
    monkeypatch.setattr("dns.resolver.resolve", lambda *args, **kwargs: [record])

    assert look_up_cname("events.example.com") == DnsAnswer(DnsOutcome.CNAME, "gateway.example.net")


def test_the_log_tells_of_a_check_only_what_it_changed(cast: Cast) -> None:
    choose(cast, in_dns())
    choose(cast, in_dns())
    choose(cast, in_dns(events="gateway.example.net"))

    assert [entry.changes for entry in AuditEntry.objects.order_by("pk")] == [
        {
            "ownDomain": [None, "events.example.com"],
            "gateway": [None, "gateway.example.net"],
            "status": [None, "PENDING"],
        },
        {"status": ["PENDING", "VERIFIED"]},
    ]


def test_stored_rows_are_turned_round_and_back(cast: Cast) -> None:
    migration = import_module("accounts.migrations.0004_routing_the_right_way_round")
    domain = IngressDomainFactory.create(ingress="gateway.example.net", target_domain="events.example.com")
    found = []
    for _ in range(2):
        migration.turn_round(apps, SimpleNamespace(connection=connection))
        domain.refresh_from_db()
        found.append((domain.ingress, domain.target_domain))

    assert found == [("events.example.com", "gateway.example.net"), ("gateway.example.net", "events.example.com")]


@pytest.mark.slow  # all migrations that came after it, back and forth
@pytest.mark.django_db(transaction=True)
def test_the_migration_turns_stored_rows_round_and_back() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", "0003_host_settings")])
    before = executor.loader.project_state([("accounts", "0003_host_settings")]).apps
    account = before.get_model("accounts", "Tenant").objects.create(id="hU2koC34", name="Shoes")
    before.get_model("accounts", "IngressDomain").objects.create(
        tenant=account, ingress="gateway.example.net", target_domain="events.example.com", status="VERIFIED"
    )
    try:
        MigrationExecutor(connection).migrate([("accounts", "0004_routing_the_right_way_round")])
        domain = before.get_model("accounts", "IngressDomain").objects.get()
        assert (domain.ingress, domain.target_domain) == ("events.example.com", "gateway.example.net")
        assert domain.status == IngressDomain.Status.VERIFIED

        MigrationExecutor(connection).migrate([("accounts", "0003_host_settings")])
        domain.refresh_from_db()
        assert (domain.ingress, domain.target_domain) == ("gateway.example.net", "events.example.com")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
