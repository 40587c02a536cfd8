"""``manage.py demo``: what it makes is true to itself, and is made once."""

from __future__ import annotations

import json
from collections import Counter as Tally
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Tenant, UsageSnapshot, User
from events.demo.records import _event
from events.demo.scenery import READERS, SHOP, STORE
from events.demo.traffic import Passed
from events.models import Counter, DeadLetter, Delivery, OutboxRow
from events.sandbox import GraphError, rules
from pixels.models import Pixel
from tests.factories import TenantFactory

FATES = [
    "published",
    "dropped_by_event_filter",
    "dropped_by_domain_filter",
    "dropped_receiving_off",
    "dropped_publishing_off",
    "failed",
    "expired",
]


@pytest.fixture(autouse=True)
def _one_day_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.demo.traffic.DAYS", 1)


def demo(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_makes_accounts_pixels_people_and_traffic() -> None:
    said = demo()

    assert sorted(Tenant.objects.values_list("can_partner_manage", flat=True)) == [False, True, True]
    assert Pixel.objects.count() == 10
    assert Membership.objects.filter(tenant__isnull=False, accepted_at__isnull=False).count() == 6
    assert Membership.objects.filter(tenant=None).exists(), "the host has an admin"
    assert Pixel.objects.filter(bad_token=True, api_error_code="190.460").count() == 1
    assert DeadLetter.objects.count() == 1
    assert Delivery.objects.filter(outcome="FAILED").count() == 1
    assert not UsageSnapshot.objects.filter(total_events_received=0).exists()
    assert "10 pixels" in said


@pytest.mark.django_db
def test_every_event_is_counted_once_in_each_span_and_dimension() -> None:
    demo()

    for pixel in Pixel.objects.all():
        waiting = OutboxRow.objects.filter(pixel=pixel, counted=True).aggregate(n=Sum("event_count"))["n"] or 0
        received = Tally[tuple[int, int]]()
        for row in Counter.objects.filter(pixel=pixel):
            received[row.span, row.dimension] += row.received
        total = received[Counter.Span.DAY, Counter.Dimension.TOTAL]
        assert total > 0
        assert received[Counter.Span.HOUR, Counter.Dimension.TOTAL] == total
        assert received[Counter.Span.DAY, Counter.Dimension.EVENT_NAME] == total
        assert received[Counter.Span.HOUR, Counter.Dimension.EVENT_NAME] == total

        days = Counter.objects.filter(pixel=pixel, span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
        fates = days.aggregate(**{fate: Sum(fate) for fate in FATES})
        assert sum(fates.values()) + waiting == total


@pytest.mark.django_db
def test_the_events_that_a_rejected_token_holds_are_waiting() -> None:
    demo()

    pixel = Pixel.objects.get(bad_token=True)
    assert OutboxRow.objects.filter(pixel=pixel).exists()
    assert not OutboxRow.objects.exclude(pixel=pixel).exists()
    assert pixel.lane.held


@pytest.mark.parametrize("website", ["shop.example.com", ""])
@pytest.mark.parametrize("name", sorted({*SHOP, *STORE, *READERS}))
def test_meta_takes_events_of_all_names(name: str, website: str) -> None:
    """Which of them wait depends on the hour."""
    assert rules.check_events([_event(Passed(timezone.now(), name, website, ""))])


@pytest.mark.django_db
def test_meta_takes_what_waits_and_refuses_again_what_it_refused() -> None:
    demo()

    waiting = [event for row in OutboxRow.objects.all() for event in json.loads(bytes(row.body))]
    assert rules.check_events(waiting[:1_000])
    letter = DeadLetter.objects.get()
    with pytest.raises(GraphError) as refusal:
        rules.check_events([json.loads(bytes(letter.event))])
    assert (str(refusal.value.code), refusal.value.subcode, refusal.value.message) == (
        letter.code,
        None,
        letter.message,
    )


@pytest.mark.django_db
def test_its_people_sign_in_with_the_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PASSWORD", "correct horse battery")

    said = demo()

    assert "correct horse battery" not in said
    assert Client().login(username="nora@northwind.example.com", password="correct horse battery")


@pytest.mark.django_db
def test_a_made_password_is_printed() -> None:
    said = demo()

    password = said.split("sign in with the password ")[1].split(";")[0]
    assert Client().login(username="lena@lumen.example.net", password=password)


@pytest.mark.django_db
def test_it_tells_who_has_which_role_and_what_comes_next() -> None:
    said = demo()

    rows = {" ".join(line.split()) for line in said.splitlines()}
    assert "Gateway Portal (the host) admin@localhost admin" in rows
    assert "Harbour Books hedda@harbour-books.example.org manage" in rows
    assert "Lumen Cosmetics (manages itself) luis@lumen.example.net view" in rows
    assert "/auth/login/" in said
    assert "`make run` comes next" in said


@pytest.mark.django_db
def test_a_second_run_changes_nothing() -> None:
    demo()
    before = User.objects.count(), Counter.objects.count(), OutboxRow.objects.count()

    assert demo() == "The demo is there already: nothing was changed.\n"
    assert (User.objects.count(), Counter.objects.count(), OutboxRow.objects.count()) == before


@pytest.mark.django_db
def test_an_instance_with_accounts_of_its_own_is_left_alone_unless_forced() -> None:
    TenantFactory.create()

    with pytest.raises(CommandError, match="make demo ARGS=--force"):
        demo()
    assert Tenant.objects.count() == 1

    demo("--force")
    assert Tenant.objects.count() == 4
