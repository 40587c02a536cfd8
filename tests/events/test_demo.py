"""``manage.py demo``: what it makes is true to itself, and is made once."""

from __future__ import annotations

import json
from collections import Counter as Tally
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import ApiAccount, Membership, Tenant, UsageSnapshot, User
from accounts.principals import OPERATOR
from alerts.looking import look
from alerts.models import Incident
from events.deduplication import read_deduplication
from events.delivery.entries import Outcome
from events.demo.records import sent_event
from events.demo.scenery import READERS, SHOP, STORE
from events.demo.traffic import Passed
from events.figures.counting import OF_BROWSERS
from events.findings import read_left_out
from events.gateway.lanes import waiting_destinations
from events.models import (
    Counter,
    DeadLetter,
    DestinationCounter,
    OutboxRow,
    Registration,
    Road,
    SourceCounter,
    SourceRow,
)
from events.refused.reading import read_last_refused, read_refused
from events.registration import telling
from events.sandbox import GraphError, Sandbox, rules
from pipelines.models import Destination, Source
from pipelines.reads import list_pipelines
from pixels.models import Pixel
from tests.events.logged import logged
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
    assert [line.outcome for line in logged()].count(Outcome.FAILED) == 2  # a pixel's, and the warehouse's
    assert not UsageSnapshot.objects.filter(total_events_received=0).exists()
    assert "10 pixels" in said


@pytest.mark.django_db
def test_one_shop_is_refused_some_requests_and_two_api_accounts_have_a_scope() -> None:
    demo()

    refused = {pixel.name: (read_refused(pixel), read_last_refused(pixel)) for pixel in Pixel.objects.all()}
    counts, last = refused.pop("Web shop USA")
    assert [(one.reason, one.requests) for one in counts] == [("time_too_old", 3), ("time_milliseconds", 1)]
    assert [one.reason for one in last] == ["time_milliseconds"] + ["time_too_old"] * 3
    assert all("Purchase" in one.sample for one in last)
    assert set(map(str, refused.values())) == {"([], [])"}

    reports, agency = ApiAccount.objects.filter(name__startswith="demo").order_by("-read_only")
    assert (reports.read_only, reports.tenant, reports.expires_at) == (True, None, None)
    assert agency.tenant == Tenant.objects.get(name="Northwind Shoes")
    assert agency.expires_at
    assert agency.expires_at > timezone.now()


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
def test_events_come_from_browsers_and_servers_and_each_road_adds_up() -> None:
    demo()

    for pixel in Pixel.objects.all():
        days = Counter.objects.filter(pixel=pixel, span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
        columns = {OF_BROWSERS[column] for column in ("received", *FATES)}
        counted = days.aggregate(**{column: Sum(column) for column in ("received", *columns)})
        of_browsers = {column: n for column, n in counted.items() if column != "received"}
        received = of_browsers.pop("browser_received")
        waiting = OutboxRow.objects.filter(pixel=pixel, road=Road.BROWSER).count()
        assert sum(of_browsers.values()) + waiting == received

        is_mirrored = pixel.name not in ("Stores", "App", "Newsletter")
        assert (0 < received < counted["received"]) if is_mirrored else received == 0
    assert {line.road for line in logged()} == set(Road)


@pytest.mark.django_db
def test_what_came_by_both_roads_has_one_id() -> None:
    demo()

    log = logged(Pixel.objects.get(name="Web shop Europe"))
    by_server = {(line.event_name, line.event_id) for line in log if line.road == Road.SERVER}
    by_browser = {(line.event_name, line.event_id) for line in log if line.road == Road.BROWSER}
    assert len(by_server) > 100
    assert len(by_server - by_browser) <= 1, "the oldest of the log may be cut off from its other half"


@pytest.mark.django_db
def test_one_shop_shares_its_ids_and_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.demo.traffic.DAYS", 2)
    demo()

    good, bad = (
        read_deduplication(Pixel.objects.get(name=name), timezone.now()) for name in ("Web shop Europe", "Book shop")
    )
    assert good.findings == []
    assert {one.share for one in good.on_both} == {1.0}
    told = {one.name: finding for one, finding in bad.findings}
    assert [str(finding.kind.name) for finding in told.values()] == ["NEVER_ON_BOTH"] * len(told)
    assert "ViewContent" in told
    assert {example.road for example in told["ViewContent"].examples} == set(Road)


@pytest.mark.django_db
def test_an_account_has_a_gateway_pipeline() -> None:
    demo()
    tenant = Tenant.objects.get(name="Northwind Shoes")

    (pipeline,) = [each for each in list_pipelines(OPERATOR, tenant.pk) if each.type == "GATEWAY_PIPELINE"]

    assert [source.id for source in pipeline.data_sources] == ["9900000000000000101"]
    assert [destination.type for destination in pipeline.data_destinations] == [
        "META_CONVERSIONS_API",
        "CUSTOM_HTTP_API",
    ]
    _, of_warehouse = pipeline.pipeline_destination_filters
    assert of_warehouse.destination_filter_blocked_event_types == ["PageView", "ViewContent"]
    (received,) = SourceCounter.objects.filter(span=2, dimension=0).aggregate(Sum("received")).values()
    meta, warehouse = Destination.objects.order_by("pk")
    fates = {each: _fates(each) for each in (meta, warehouse)}
    assert fates[meta]["received"] == received == fates[warehouse]["received"] + SourceRow.objects.count()
    for of_one in fates.values():
        assert of_one["received"] == sum(of_one[fate] for fate in ("published", "dropped_by_event_filter", "failed"))
    assert (fates[warehouse]["failed"], warehouse.dead_letters.count()) == (1, 1)
    assert waiting_destinations() == []  # until the warehouse is tried again
    assert SourceRow.objects.exists()


@pytest.mark.django_db
def test_the_ids_of_a_source_are_compared_and_what_was_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.demo.left_out._ONE_IN", 1)
    demo()
    source, pixel = Source.objects.get(), Pixel.objects.get(name="Web shop USA")

    told = read_deduplication(source, timezone.now())
    assert told.findings == []
    assert {one.share for one in told.on_both} == {1.0}
    for owner in (source, pixel):
        assert [one.field for one in read_left_out(owner)] == ["user_data.ph"]
    lines = [line for line in logged() if line.source_pk == source.pk]
    assert {bool(line.changes) for line in lines if line.road is Road.SERVER} == {True}
    assert not any(line.changes for line in lines if line.road is Road.BROWSER)


def _fates(destination: Destination) -> dict[str, int]:
    rows = DestinationCounter.objects.filter(destination=destination, span=2, dimension=0)
    columns = ("received", "published", "dropped_by_event_filter", "failed")
    return rows.aggregate(**{column: Sum(column) for column in columns})


@pytest.mark.django_db
def test_the_events_that_a_rejected_token_holds_are_waiting() -> None:
    demo()

    pixel = Pixel.objects.get(bad_token=True)
    assert OutboxRow.objects.filter(pixel=pixel).exists()
    assert not OutboxRow.objects.exclude(pixel=pixel).exists()
    assert pixel.lane.held


@pytest.mark.django_db
def test_it_shows_how_pixels_stand_with_meta() -> None:
    demo()

    states = Tally(Registration.objects.values_list("state", flat=True))
    assert states == {"REGISTERED": 5, "WAITING": 1, "REFUSED": 2}
    assert Pixel.objects.filter(registration=None).count() == 2


@pytest.mark.django_db
def test_the_worker_leaves_the_pixels_as_the_demo_has_them(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    demo()
    before = dict(Registration.objects.values_list("pixel", "state"))
    words = dict(Registration.objects.values_list("pixel", "message"))

    for minutes in (2, 20):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            for registration in Registration.objects.all():
                telling.tell(registration.pk)

    assert dict(Registration.objects.values_list("pixel", "state")) == before
    assert dict(Registration.objects.values_list("pixel", "message")) == words
    assert len(sandbox.registrations.all()) == 5


@pytest.mark.parametrize("website", ["shop.example.com", ""])
@pytest.mark.parametrize("name", sorted({*SHOP, *STORE, *READERS}))
def test_meta_takes_events_of_all_names(name: str, website: str) -> None:
    """Which of them wait depends on the hour."""
    assert rules.check_events([sent_event(Passed(timezone.now(), name, website, ""))])


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
def test_it_shows_what_is_wrong_and_what_was() -> None:
    demo()

    of_accounts = Incident.objects.exclude(tenant=None)  # the disk of the tests' machine is no matter
    assert set(of_accounts.filter(closed_at=None).values_list("rule", flat=True)) == {
        "token",
        "registration",
        "receiver",
    }
    closed = of_accounts.exclude(closed_at=None)
    assert set(closed.values_list("rule", flat=True)) == {"waiting", "success", "silence"}
    look()
    assert of_accounts.filter(closed_at=None).count() == 4  # it is true


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
