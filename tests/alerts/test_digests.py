"""The daily digest: once a day for each person, at the hour of the account's clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection

from accounts.models import Membership, Tenant
from alerts.digests import send_due, write_due
from alerts.models import Digest, Incident, Schedule
from alerts.pruning import prune
from events.models import Counter
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_send = EmailMessage.send


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wanted(cast: Cast, hour: int = 8, zone: str = "Europe/Berlin", since: str = "2026-01-01 00:00") -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(time_zone=zone)
    Schedule.objects.create(tenant=cast.shoes, digest_hour=hour, digest_since=at(since))


def run(now: datetime) -> list[str]:
    """One turn; whom it mails."""
    before = len(mail.outbox)
    write_due(now)
    send_due(now)
    return [message.to[0].partition("@")[0] for message in mail.outbox[before:]]


def moments(first: str, last: str, step: timedelta = HOUR / 2) -> list[datetime]:
    moment, found = at(first), []
    while moment <= at(last):
        found.append(moment)
        moment += step
    return found


def test_nobody_gets_one_unless_somebody_asks_for_it(cast: Cast) -> None:
    Schedule.objects.create(tenant=cast.shoes)

    assert run(at("2026-01-15 07:00")) == []
    assert not Digest.objects.exists()


def test_each_person_gets_one_at_the_hour_however_often_one_looks(cast: Cast) -> None:
    wanted(cast)
    assert run(at("2026-01-15 06:59")) == []
    assert run(at("2026-01-15 07:00")) == ["ada", "max"]
    for now in moments("2026-01-15 07:00", "2026-01-16 06:59"):
        assert run(now) == []
    assert run(at("2026-01-16 07:00")) == ["ada", "max"]


@pytest.mark.parametrize(
    ("hour", "first", "last", "expected"),
    [
        (8, "2026-03-28 00:00", "2026-03-30 21:30", ["03-28 07:00", "03-29 06:00", "03-30 06:00"]),
        (2, "2026-03-28 02:00", "2026-03-30 21:30", ["03-29 01:00", "03-30 00:00"]),
        (2, "2026-10-24 02:00", "2026-10-26 21:30", ["10-25 00:00", "10-26 01:00"]),
        (8, "2026-10-24 12:00", "2026-10-26 21:30", ["10-25 07:00", "10-26 07:00"]),
    ],
    ids=["forward", "forward, at the hour left out", "back, at the hour shown twice", "back"],
)
def test_a_day_with_a_changed_clock_has_one_digest(
    cast: Cast, hour: int, first: str, last: str, expected: list[str]
) -> None:
    wanted(cast, hour, since=first)

    assert [f"{now:%m-%d %H:%M}" for now in moments(first, last) if run(now)] == expected


def test_it_tells_of_the_day_before_as_the_account_counts_days(cast: Cast) -> None:
    wanted(cast)
    pixel = PixelFactory.create(tenant=cast.shoes, name="Shop")
    for moment, received in (("2026-01-13 22:00", 1), ("2026-01-13 23:00", 20), ("2026-01-14 22:00", 300)):
        counts = {"received": received, "published": received - 1, "failed": 1}
        Counter.objects.create(pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=at(moment), **counts)
    Counter.objects.create(
        pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=at("2026-01-14 23:00"), received=4_000
    )
    incident(pixel, "token", "2026-01-10 08:00", None)
    incident(pixel, "waiting", "2026-01-14 08:00", "2026-01-14 09:00", minutes=40)
    incident(pixel, "silence", "2026-01-15 03:00", None, expected=60, hours=2)
    incident(pixel, "success", "2026-01-12 08:00", "2026-01-13 09:00", percent=50, failed=9)

    run(at("2026-01-15 07:00"))

    message = mail.outbox[0]
    assert message.subject == "Shoes on 2026-01-14"
    text = str(message.body)
    assert "On 2026-01-14, 320 events were received, 318 published; 2 failed." in text
    open_now, opened = text.partition("Opened on that day:")[::2]
    assert "2026-01-10 09:00 Meta rejects the access token of Shop." in open_now
    assert "2026-01-15 04:00 Shop receives nothing" in open_now
    assert "- 2026-01-14 09:00 Events of Shop wait for 40 minutes." in opened
    assert text.count("Events of Shop wait for 40 minutes.") == 2  # it closed on that day, too
    assert "percent" not in text
    assert f"/hub/capig/alerts/rules/?tenant={cast.shoes.pk}" in text


def incident(pixel: Pixel, rule: str, opened: str, closed: str | None, **facts: Any) -> None:
    Incident.objects.create(
        tenant=pixel.tenant, pixel=pixel, rule=rule, subject=f"pixel {pixel.pixel_id}", opened_at=at(opened),
        closed_at=at(closed) if closed else None, facts={"name": pixel.name, **facts},
    )  # fmt: skip


def test_an_hour_that_is_chosen_after_it_has_come_begins_tomorrow(cast: Cast) -> None:
    wanted(cast, since="2026-01-15 10:00")

    assert run(at("2026-01-15 10:01")) == []
    assert run(at("2026-01-16 07:00")) == ["ada", "max"]


def test_a_scheduler_that_was_away_sends_it_late_but_not_the_next_night(cast: Cast) -> None:
    wanted(cast)
    assert run(at("2026-01-15 12:00")) == ["ada", "max"]
    assert run(at("2026-01-16 20:00")) == []


def test_another_time_zone_brings_no_second_one_on_a_day(cast: Cast) -> None:
    wanted(cast, zone="Asia/Tokyo")
    assert run(at("2026-01-14 23:00")) == ["ada", "max"]
    Tenant.objects.filter(pk=cast.shoes.pk).update(time_zone="America/Los_Angeles")

    mailed = [f"{now:%m-%d %H:%M}" for now in moments("2026-01-14 23:30", "2026-01-16 23:30") if run(now)]

    assert mailed == ["01-16 16:00"]


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_write_one(cast: Cast) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    wanted(cast)
    start = threading.Barrier(2)

    def turn() -> None:
        start.wait()
        run(at("2026-01-15 07:00"))
        connection.close()

    threads = [threading.Thread(target=turn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Digest.objects.count() == 1
    assert sorted(message.to[0] for message in mail.outbox) == ["ada@example.com", "max@example.com"]


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (ConnectionRefusedError(), ["ada", "max"]),
        # It may have taken the first mail before it fell silent: nobody gets two.
        (SMTPServerDisconnected(), ["max"]),
        (SMTPRecipientsRefused({"ada@example.com": (450, b"later")}), ["ada"]),
        (SMTPRecipientsRefused({"ada@example.com": (550, b"never")}), []),
    ],
    ids=["away", "silent", "refused for a while", "refused for good"],
)
def test_after_a_failure_nobody_gets_two(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: OSError, later: list[str]
) -> None:
    wanted(cast)

    def fail(message: EmailMessage, *args: Any) -> int:
        if message.to == ["ada@example.com"]:
            raise error
        return _send(message, *args)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    run(at("2026-01-15 07:00"))
    monkeypatch.undo()

    assert run(at("2026-01-15 07:06")) == later
    assert run(at("2026-01-15 07:30")) == []


def test_a_process_that_is_killed_while_it_sends_costs_one_mail_at_most(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted(cast)

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr("django.core.mail.EmailMessage.send", die)
    with pytest.raises(SystemExit):
        run(at("2026-01-15 07:00"))
    monkeypatch.undo()

    assert run(at("2026-01-15 07:02")) == []  # somebody may be at work
    assert run(at("2026-01-15 07:04")) == ["max"]


def in_two_accounts(cast: Cast, zone: str = "Europe/Madrid", hour: int = 8) -> None:
    """Ada looks after Books, too."""
    wanted(cast)
    Membership.objects.create(user=cast.ada, tenant=cast.books, level="admin", accepted_at=at("2026-01-01 00:00"))
    Tenant.objects.filter(pk=cast.books.pk).update(time_zone=zone)
    Schedule.objects.create(tenant=cast.books, digest_hour=hour, digest_since=at("2026-01-01 00:00"))


def test_who_looks_after_several_accounts_gets_one_mail_with_a_part_for_each(cast: Cast) -> None:
    in_two_accounts(cast)
    incident(PixelFactory.create(tenant=cast.books, name="Novels"), "token", "2026-01-14 08:00", None)

    assert sorted(run(at("2026-01-15 07:00"))) == ["ada", "bea", "bruno", "max"]
    assert run(at("2026-01-15 07:30")) == []

    [to_ada] = [message for message in mail.outbox if message.to == ["ada@example.com"]]
    [to_max] = [message for message in mail.outbox if message.to == ["max@example.com"]]
    assert to_ada.subject == "2 accounts on 2026-01-14"
    books, shoes = str(to_ada.body).split("== Shoes ==")
    assert "== Books ==" in books
    assert "the access token of Novels" in books
    assert "Nothing is wrong now." in shoes
    for tenant in (cast.shoes, cast.books):
        assert f"/hub/capig/alerts/rules/?tenant={tenant.pk}" in shoes
    assert to_max.subject == "Shoes on 2026-01-14"
    assert "Books" not in str(to_max.body)


@pytest.mark.parametrize(("zone", "hour", "moment"), [("Asia/Tokyo", 8, "14 23:00"), ("Europe/Madrid", 9, "15 08:00")])
def test_accounts_that_do_not_agree_have_a_mail_each(cast: Cast, zone: str, hour: int, moment: str) -> None:
    in_two_accounts(cast, zone, hour)

    for each in sorted([moment, "15 07:00"]):
        assert run(at(f"2026-01-{each}")).count("ada") == 1
    assert {str(message.subject).partition(" on ")[0] for message in mail.outbox} >= {"Books"}
    assert not [message for message in mail.outbox if "2 accounts" in str(message.subject)]


def test_a_mail_of_two_accounts_that_is_surely_not_taken_comes_again_whole(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_two_accounts(cast)

    def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    run(at("2026-01-15 07:00"))
    monkeypatch.undo()

    assert sorted(run(at("2026-01-15 07:06"))) == ["ada", "bea", "bruno", "max"]
    assert run(at("2026-01-15 07:30")) == []


def test_where_an_account_has_nobody_the_host_gets_it_unless_it_is_closed(cast: Cast) -> None:
    wanted(cast)
    Membership.objects.filter(tenant=cast.shoes).delete()
    assert run(at("2026-01-15 07:00")) == ["hanna", "milo"]

    Tenant.objects.filter(pk=cast.shoes.pk).update(can_partner_manage=False)
    assert run(at("2026-01-16 07:00")) == []


def test_old_ones_and_those_of_accounts_that_are_gone_are_forgotten(cast: Cast) -> None:
    wanted(cast)
    for day in (15, 20):
        run(at(f"2026-01-{day} 07:00"))
    Digest.objects.create(
        tenant_id=cast.books.pk, day=at("2026-01-20 00:00"), since=at("2026-01-19 00:00"), until=at("2026-01-20 00:00")
    )
    Tenant.objects.get(pk=cast.books.pk).delete()
    prune(at("2026-01-30 00:00"))

    assert [digest.day.day for digest in Digest.objects.all()] == [20]
