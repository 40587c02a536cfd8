"""Incidents: opened once, told once, brought up to date, closed, and forgotten."""

from __future__ import annotations

import threading
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.models import Tenant
from alerts.looking import look
from alerts.models import Incident, Notice, NoticeDelivery, RuleSetting
from alerts.pruning import prune
from alerts.telling import tell
from events.models import Counter, Finding
from pixels.models import Pixel
from tests.alerts.stage import DAY, MINUTE, NOW, break_waiting, hour_of, open_rules, rejected
from tests.base import Cast
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


def test_what_comes_back_is_another_incident(cast: Cast) -> None:
    pixel = rejected(cast)
    look(NOW)
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=False)
    look(NOW + MINUTE)
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=True)
    look(NOW + 2 * MINUTE)

    assert Incident.objects.count() == Notice.objects.count() == 2
    assert open_rules() == ["token"]


def test_an_open_incident_follows_the_figures(cast: Cast) -> None:
    break_waiting(cast)
    for minutes in (0, 9):
        look(NOW + minutes * MINUTE)

    assert Incident.objects.get(rule="waiting").facts["minutes"] == 40


def test_a_flood_of_failures_sends_one_notice(cast: Cast) -> None:
    """Each minute a thousand events fail more: one incident, which follows them."""
    pixel = PixelFactory.create(tenant=cast.shoes)
    hour_of(pixel, published=1_000)
    for minute in range(15):
        Counter.objects.update(failed=F("failed") + 1_000)
        look(NOW + minute * MINUTE)
        tell(timezone.now() + minute * MINUTE)

    assert Incident.objects.get().facts["failed"] == 15_000
    assert Notice.objects.count() == 1
    assert sorted(message.to[0] for message in mail.outbox) == ["ada@example.com", "max@example.com"]


def test_refusals_by_the_thousand_send_one_notice(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    hour = {"hour": NOW.replace(minute=0), "kind": Finding.Kind.REFUSED, "count": 1_000, "events": 1_000}
    for minute in range(15):
        Finding.objects.create(pixel=pixel, field=f"field_{minute}", reason="wrong", **hour)
        look(NOW + minute * MINUTE)
        tell(timezone.now() + minute * MINUTE)

    assert Incident.objects.get().facts["refused"] == 15_000
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_open_nothing_twice(cast: Cast) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    for _ in range(20):
        rejected(cast)
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        look(NOW)
        connection.close()

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()

    assert Incident.objects.count() == Notice.objects.count() == 20


def test_a_broken_rule_keeps_no_other_from_being_looked_at(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rejected(cast)

    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", fail)
    look(NOW)

    assert open_rules() == ["token"]


def test_a_notice_is_told_again_under_its_id_until_the_mail_server_takes_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected(cast)
    now = timezone.now()
    look(now)

    def gone(*_: object) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", gone)
        tell(now)
    assert NoticeDelivery.objects.get().told_at is None
    tell(now)
    assert mail.outbox == []  # not yet
    tell(now + 2 * MINUTE)

    delivery = NoticeDelivery.objects.get()
    assert delivery.told_at
    assert delivery.due_at is None
    assert {message.extra_headers["Message-ID"].split("@")[0] for message in mail.outbox} == {f"<{delivery.notice_id}"}


def test_a_killed_teller_is_taken_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rejected(cast)
    now = timezone.now()
    look(now)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", killed)
        with pytest.raises(Killed):
            tell(now)
    tell(now + MINUTE)
    assert mail.outbox == []
    tell(now + 11 * MINUTE)

    assert len(mail.outbox) == 2


def test_the_mail_says_what_to_do_and_where(cast: Cast) -> None:
    pixel = rejected(cast)
    look()
    tell()

    body = mail.outbox[0].body
    assert mail.outbox[0].subject == "Access token rejected · Shoes"
    assert "Make a new token" in body
    assert f"/hub/capig/pixels/{pixel.pixel_id}/token/?tenant={cast.shoes.pk}" in body


def test_nobody_of_the_host_is_told_of_an_account_that_is_closed_to_it(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.books, bad_token=True)
    look()
    tell()

    assert {message.to[0] for message in mail.outbox} == {"bea@example.com", "bruno@example.com"}


def test_an_account_without_people_is_its_hosts_to_look_after(cast: Cast) -> None:
    PixelFactory.create(bad_token=True)
    look()
    tell()

    assert {message.to[0] for message in mail.outbox} == {"hanna@example.com", "milo@example.com"}


def test_old_incidents_go_and_open_ones_stay(cast: Cast) -> None:
    pixel = rejected(cast)
    old = Incident.objects.create(tenant=cast.shoes, rule="token", subject="pixel 1", closed_at=NOW - 91 * DAY)
    Notice.objects.create(incident=old)
    Incident.objects.create(tenant=cast.shoes, pixel=pixel, rule="token", subject="pixel 2", opened_at=NOW - 200 * DAY)
    prune(NOW)

    assert list(Incident.objects.values_list("subject", flat=True)) == ["pixel 2"]
    assert not Notice.objects.exists()


def test_all_goes_with_the_account_and_with_the_pixel(cast: Cast) -> None:
    pixel = rejected(cast)
    RuleSetting.objects.create(tenant=cast.shoes, pixel=pixel, rule="waiting", muted=True)
    look(NOW)
    pixel.delete()
    assert not Incident.objects.exists()
    assert not RuleSetting.objects.exists()

    rejected(cast)
    look(NOW + MINUTE)
    Tenant.objects.get(pk=cast.shoes.pk).delete()

    assert not Incident.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_release_before_leaves_behind_goes(cast: Cast) -> None:
    Incident.objects.create(tenant_id="gone4711", rule="token", subject="pixel 1")
    RuleSetting.objects.create(tenant_id="gone4711", rule="token", muted=True)
    Incident.objects.create(rule="disk", subject="instance")
    prune(NOW)

    assert [row.rule for row in Incident.objects.all()] == ["disk"]
    assert not RuleSetting.objects.exists()
