"""Verified domains are checked every day: no answer changes nothing, three refusals over three days do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, IngressDomain
from accounts.own_domains import forget_own_domains, is_own_domain
from accounts.principals import OPERATOR
from accounts.services.routing import DnsAnswer, DnsOutcome, upsert_ingress_domain
from accounts.services.routing_checks import check_domains
from tests.base import Cast
from tests.factories import IngressDomainFactory
from tests.pages import see

OWN = "events.example.com"
HERE = DnsAnswer(DnsOutcome.CNAME, "gateway.example.net")
ELSEWHERE = DnsAnswer(DnsOutcome.CNAME, "elsewhere.example.net")
NO_ANSWER = DnsAnswer(DnsOutcome.NO_ANSWER)


@pytest.fixture
def domain(cast: Cast) -> IngressDomain:
    return IngressDomainFactory.create(
        tenant=cast.shoes, status=IngressDomain.Status.VERIFIED, checked_at=timezone.now() - timedelta(days=1)
    )


def days(domain: IngressDomain, *answers: DnsAnswer) -> IngressDomain:
    """A day for each answer, on which the check runs twice."""
    for answer in answers:
        IngressDomain.objects.update(checked_at=timezone.now() - timedelta(days=1))
        for _ in range(2):
            check_domains(lambda name, answer=answer: answer)
    domain.refresh_from_db()
    return domain


@pytest.mark.parametrize("refusal", [ELSEWHERE, DnsAnswer(DnsOutcome.NO_RECORD), DnsAnswer(DnsOutcome.NO_DOMAIN)])
def test_three_refusals_over_three_days_give_it_up(domain: IngressDomain, refusal: DnsAnswer) -> None:
    assert days(domain, refusal, refusal).status == IngressDomain.Status.VERIFIED
    assert days(domain, refusal).status == IngressDomain.Status.PENDING


def test_no_answer_changes_nothing(domain: IngressDomain) -> None:
    assert days(domain, *[NO_ANSWER] * 5).status == IngressDomain.Status.VERIFIED
    assert days(domain, ELSEWHERE, NO_ANSWER, ELSEWHERE, NO_ANSWER).refusals == 2


def test_an_answer_of_yes_starts_the_count_anew(domain: IngressDomain) -> None:
    assert days(domain, ELSEWHERE, ELSEWHERE, HERE, ELSEWHERE, ELSEWHERE).status == IngressDomain.Status.VERIFIED


def test_it_is_told(
    cast: Cast, domain: IngressDomain, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        days(domain, *[ELSEWHERE] * 3)

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.changes) == ("schedule", OWN, {"status": ["VERIFIED", "PENDING"]})
    assert [mail.to for mail in mailoutbox] == [[cast.ada.email]]
    assert "has not led to" in mailoutbox[0].body
    assert "does not lead here any more" in see(cast.vic, "accounts:settings", cast.shoes)


def test_its_events_are_taken_for_thirty_more_days(domain: IngressDomain) -> None:
    days(domain, *[ELSEWHERE] * 3)
    assert is_own_domain(OWN)

    IngressDomain.objects.update(served_until=timezone.now() - timedelta(seconds=1))
    forget_own_domains()
    assert not is_own_domain(OWN)


@pytest.mark.parametrize(("answer", "status"), [(NO_ANSWER, "VERIFIED"), (ELSEWHERE, "PENDING"), (HERE, "VERIFIED")])
def test_a_check_that_somebody_asks_for_counts_at_once(domain: IngressDomain, answer: DnsAnswer, status: str) -> None:
    checked = upsert_ingress_domain(
        principal=OPERATOR,
        tenant_id=domain.tenant_id,
        ingress=OWN,
        target_domain="gateway.example.net",
        look_up=lambda _: answer,
    ).domain

    assert checked.status == status
    assert checked.is_left is (answer is ELSEWHERE)
    assert is_own_domain(OWN)
