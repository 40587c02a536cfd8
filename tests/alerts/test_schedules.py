"""Quiet hours: what comes in them waits until they end, in the account's own time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.principals import principal_of_user
from alerts.looking import look_at
from alerts.models import Incident, Notice, RuleName, Schedule
from alerts.pruning import prune
from alerts.rules.table import RULE_OF
from alerts.services.schedules import set_schedule
from alerts.telling import tell
from common.errors import InvalidInput, NotAuthorized
from pixels.models import Pixel
from tests.alerts.stage import rejected
from tests.base import HUB, Answer, Cast, graphql, login
from tests.factories import IngressDomainFactory
from tests.operations import DOCUMENTS

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quiet(cast: Cast, start: str = "22:00", end: str = "07:30", zone: str = "Europe/Berlin", **values: Any) -> Schedule:
    Tenant.objects.filter(pk=cast.shoes.pk).update(time_zone=zone)
    tenant = Tenant.objects.get(pk=cast.shoes.pk)
    return Schedule.objects.create(
        tenant=tenant, quiet_from=time.fromisoformat(start), quiet_until=time.fromisoformat(end), **values
    )


def look(now: datetime) -> None:
    """At accounts: hours lie between these looks, of which the host would be told."""
    for rule in (RuleName.TOKEN, RuleName.DOMAIN):
        look_at(RULE_OF[rule], now)


def told() -> list[str]:
    return sorted({str(message.subject) for message in mail.outbox})


@pytest.mark.parametrize(
    ("start", "end", "now", "until"),
    [
        ("22:00", "07:30", "2026-01-14 20:59", None),
        ("22:00", "07:30", "2026-01-14 21:00", "2026-01-15 06:30"),
        ("22:00", "07:30", "2026-01-15 06:29", "2026-01-15 06:30"),
        ("22:00", "07:30", "2026-01-15 06:30", None),
        ("12:00", "14:00", "2026-01-15 12:30", "2026-01-15 13:00"),
        ("12:00", "14:00", "2026-01-15 13:00", None),
        # The clock is put forward from 2 to 3 in the night to 29 March, and back from 3 to 2 in that to 25 October.
        ("22:00", "07:30", "2026-03-29 02:00", "2026-03-29 05:30"),
        ("22:00", "07:30", "2026-03-29 05:30", None),
        ("22:00", "07:30", "2026-10-25 05:30", "2026-10-25 06:30"),
        ("22:00", "02:30", "2026-03-29 01:15", "2026-03-29 01:30"),
        ("22:00", "02:30", "2026-10-25 00:15", "2026-10-25 00:30"),
        ("22:00", "02:30", "2026-10-25 01:15", None),
        ("02:30", "03:15", "2026-03-29 01:10", None),
        ("02:15", "02:45", "2026-10-25 00:20", "2026-10-25 00:45"),
        ("02:15", "02:45", "2026-10-25 01:20", None),
    ],
)
def test_quiet_hours_are_those_of_the_accounts_clock(
    cast: Cast, start: str, end: str, now: str, until: str | None
) -> None:
    assert quiet(cast, start, end).quiet_until_after(at(now)) == (until and at(until))


def test_what_comes_in_them_is_told_once_at_their_end(cast: Cast) -> None:
    quiet(cast)
    rejected(cast)
    night = at("2026-01-14 23:00")
    look(night)
    for minute in range(3):
        tell(night + minute * MINUTE)
    tell(at("2026-01-15 06:29"))
    assert mail.outbox == []

    for minute in range(3):
        tell(at("2026-01-15 06:30") + minute * MINUTE)

    assert [message.to for message in mail.outbox] == [["ada@example.com"], ["max@example.com"]]
    assert "Found on 2026-01-15 00:00 Europe/Berlin." in str(mail.outbox[0].body)


def test_what_is_over_by_then_is_not_told(cast: Cast) -> None:
    quiet(cast)
    pixel = rejected(cast)
    look(at("2026-01-14 23:00"))
    tell(at("2026-01-14 23:00"))
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=False)
    look(at("2026-01-15 01:00"))

    tell(at("2026-01-15 06:30"))

    assert mail.outbox == []
    assert not Notice.objects.exclude(due_at=None).exists()


def test_that_something_is_over_waits_too_where_it_was_told_before(cast: Cast) -> None:
    quiet(cast)
    pixel = rejected(cast)
    look(at("2026-01-14 20:00"))
    tell(at("2026-01-14 20:00"))
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=False)
    look(at("2026-01-15 01:00"))
    tell(at("2026-01-15 01:00"))
    assert told() == ["Access token rejected · Shoes"]

    tell(at("2026-01-15 06:30"))

    assert told() == ["Access token rejected · Shoes", "Over: Access token rejected · Shoes"]


@pytest.mark.parametrize(("at_once", "expected"), [(True, ["Own domain leads elsewhere · Shoes"]), (False, [])])
def test_severe_alerts_break_through_unless_they_may_not(cast: Cast, at_once: bool, expected: list[str]) -> None:
    quiet(cast, severe_at_once=at_once)
    rejected(cast)
    IngressDomainFactory.create(tenant=cast.shoes, status="VERIFIED", refusals=1)
    look(at("2026-01-14 23:00"))

    tell(at("2026-01-14 23:00"))

    assert told() == expected


def test_the_quiet_hours_of_one_account_keep_no_other_waiting(cast: Cast) -> None:
    quiet(cast)
    rejected(cast)
    Pixel.objects.create(tenant=cast.books, pixel_id="4711", bad_token=True)
    Incident.objects.create(rule="disk", subject="instance", facts={"percent": 95, "free_gb": 1})
    Notice.objects.create(incident=Incident.objects.get())
    look(at("2026-01-14 23:00"))

    tell(at("2026-01-14 23:00") + HOUR)

    assert "Access token rejected · Books" in told()
    assert "Access token rejected · Shoes" not in told()


# --- Choosing them ---------------------------------------------------------------------------------------------------


def choose(cast: Cast, who: str = "ada", **values: Any) -> Schedule:
    given = {"quiet_from": None, "quiet_until": None, "digest_hour": None, **values}
    return set_schedule(principal=principal_of_user(getattr(cast, who)), tenant_id=cast.shoes.pk, **given)


def test_whoever_may_change_settings_chooses_on_the_page(cast: Cast) -> None:
    page = reverse("alerts:rules", query={"tenant": cast.shoes.pk})
    posted = {"quiet_from": "22:00", "quiet_until": "07:30", "severe_at_once": ["no"], "digest_hour": "8"}

    answer = login(cast.max).post(reverse("alerts:schedule", query={"tenant": cast.shoes.pk}), posted)

    assert answer.headers["Location"] == page
    schedule = Schedule.objects.get()
    assert (schedule.quiet_from, schedule.quiet_until, schedule.digest_hour) == (time(22), time(7, 30), 8)
    assert not schedule.severe_at_once
    entry = AuditEntry.objects.get(act="set alert schedule")
    assert entry.changes["quiet_from"] == [None, "22:00"]
    shown = login(cast.max).get(page).content.decode()
    assert 'value="22:00"' in shown
    assert '<option value="8" selected>08:00</option>' in shown


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"quiet_from": "22:00"}, "quietUntil: is required"),
        ({"quiet_until": "22:00"}, "quietFrom: is required"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quietUntil: must differ"),
        ({"quiet_from": "24:00", "quiet_until": "07:00"}, "quietFrom: must be a time of the day"),
        ({"quiet_from": "22:00", "quiet_until": "٠٧:٠٠"}, "quietUntil: must be a time of the day"),
        ({"digest_hour": 24}, "digestHour: must be between 0 and 23."),
        ({"digest_hour": -1}, "digestHour: must be between 0 and 23."),
    ],
    ids=["no end", "no beginning", "empty", "no hour", "other digits", "late", "early"],
)
def test_what_makes_no_sense_is_refused(cast: Cast, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        choose(cast, **wanted)

    assert refused.value.message.startswith(says)
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("who", ["vic", "olaf"])
def test_who_may_not_change_the_account_chooses_nothing(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        choose(cast, who, digest_hour=8)
    assert not Schedule.objects.exists()


def test_ending_quiet_hours_lets_out_what_waits(cast: Cast) -> None:
    quiet(cast, "00:00", "23:59", "UTC")
    rejected(cast)
    look(timezone.now())
    tell()
    assert mail.outbox == []

    choose(cast)
    tell()

    assert told() == ["Access token rejected · Shoes"]


def test_staff_take_a_schedule_away(cast: Cast) -> None:
    row = quiet(cast)
    login(cast.hanna).post(
        reverse("admin:alerts_schedule_changelist"), {"action": "reset", "_selected_action": [row.pk]}
    )

    assert Schedule.objects.get().quiet_from is None


@pytest.mark.django_db(transaction=True)
def test_it_goes_with_the_account_whoever_deletes_that(cast: Cast) -> None:
    quiet(cast)
    Tenant.objects.get(pk=cast.shoes.pk).delete()
    assert not Schedule.objects.exists()

    Schedule.objects.create(tenant_id="gone4711")
    prune()
    assert not Schedule.objects.exists()


# --- In GraphQL ------------------------------------------------------------------------------------------------------


def update(cast: Cast, **values: Any) -> Answer:
    wanted = {"input": {"tenantId": cast.shoes.pk, **values}}
    return graphql(cast.ada, HUB, DOCUMENTS["updateAlertSchedule"], wanted)


def test_software_reads_and_changes_it_and_what_is_left_out_stays(cast: Cast) -> None:
    update(cast, timeZone="Europe/Madrid", quietFrom="22:00", quietUntil="07:30", severeAtOnce=False)
    update(cast, digestHour=0)

    answer = graphql(cast.vic, HUB, DOCUMENTS["alertSchedule"], {"tenantId": cast.shoes.pk})

    assert answer.data["alertSchedule"] == {
        "tenantId": cast.shoes.pk,
        "timeZone": "Europe/Madrid",
        "quietFrom": "22:00",
        "quietUntil": "07:30",
        "severeAtOnce": False,
        "digestHour": 0,
    }
    assert update(cast, quietFrom=None, quietUntil=None, digestHour=None).data["updateAlertSchedule"] == {
        **answer.data["alertSchedule"],
        "quietFrom": None,
        "quietUntil": None,
        "digestHour": None,
    }


@pytest.mark.parametrize(
    "wanted",
    [{"timeZone": "Mars/Olympus"}, {"timeZone": "Asia/Tokyo", "digestHour": 24}, {"quietFrom": "7"}],
    ids=["no zone", "no hour", "no time"],
)
def test_what_is_refused_in_graphql_changes_nothing(cast: Cast, wanted: dict[str, Any]) -> None:
    assert update(cast, **wanted).refused(400)
    assert Tenant.objects.get(pk=cast.shoes.pk).time_zone == "UTC"
    assert not Schedule.objects.exists()
