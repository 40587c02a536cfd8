"""Incidents: opened once, told once, brought up to date, closed; and what an account can say about it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.principals import principal_of_user
from alerts.looking import look
from alerts.models import Incident, Notice, NoticeDelivery, Pulse, RuleName, RuleSetting
from alerts.pruning import prune
from alerts.rules.found import Look
from alerts.rules.table import RULE_OF
from alerts.services import set_rule
from alerts.telling import tell
from common.errors import InvalidInput, NotAuthorized
from events.models import Counter, DestinationLane, Lane, Registration
from pixels.models import Pixel
from tests.base import Cast, login
from tests.factories import DestinationFactory, IngressDomainFactory, OutboxRowFactory, PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _the_disk_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", lambda path: type("Usage", (), {
        "total": 10**12, "free": 5 * 10**11,
    }))  # fmt: skip


def rejected(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Shop", bad_token=True, api_error_code="190")


def open_rules() -> list[str]:
    return sorted(Incident.objects.filter(closed_at=None).values_list("rule", flat=True))


def hour_of(pixel: Pixel, **counts: int) -> None:
    start = NOW.replace(minute=0)
    Counter.objects.create(pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=start, **counts)


def break_token(cast: Cast) -> Any:
    pixel = rejected(cast)
    return lambda: Pixel.objects.filter(pk=pixel.pk).update(bad_token=False)


def break_destination(cast: Cast) -> Any:
    destination = DestinationFactory.create(tenant=cast.shoes)
    lane = DestinationLane.objects.create(destination=destination, held=True, code="401", message="no")
    return lambda: DestinationLane.objects.filter(pk=lane.pk).update(held=False)


def break_registration(cast: Cast) -> Any:
    pixel = PixelFactory.create(tenant=cast.shoes)
    Registration.objects.update_or_create(pixel=pixel, defaults={"state": "REFUSED", "code": "200"})
    return lambda: Registration.objects.update(state="REGISTERED")


def break_domain(cast: Cast) -> Any:
    domain = IngressDomainFactory.create(tenant=cast.shoes, status="VERIFIED", refusals=1)
    return lambda: type(domain).objects.update(refusals=0)


def break_success(cast: Cast) -> Any:
    hour_of(PixelFactory.create(tenant=cast.shoes), published=80, failed=20)
    return lambda: Counter.objects.update(published=1_000)


def break_waiting(cast: Cast) -> Any:
    row = OutboxRowFactory.create(pixel=PixelFactory.create(tenant=cast.shoes), received_at=NOW - 31 * MINUTE)
    return row.delete


def break_queue(cast: Cast) -> Any:
    pixel = PixelFactory.create(tenant=cast.shoes)
    row = OutboxRowFactory.create(pixel=pixel, received_at=NOW - 11 * MINUTE, counted=False)
    return row.delete


def break_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Any:
    usage = type("Usage", (), {"total": 100, "free": 5})
    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", lambda path: usage)
    return lambda: setattr(usage, "free", 50)


BREAKS = {
    RuleName.TOKEN: break_token,
    RuleName.DESTINATION: break_destination,
    RuleName.REGISTRATION: break_registration,
    RuleName.DOMAIN: break_domain,
    RuleName.SUCCESS: break_success,
    RuleName.WAITING: break_waiting,
    RuleName.QUEUE: break_queue,
}


@pytest.mark.parametrize("rule", BREAKS, ids=str)
def test_a_rule_opens_once_is_told_once_and_closes(cast: Cast, rule: RuleName) -> None:
    mend = BREAKS[rule](cast)
    for minute in range(3):
        look(NOW + minute * MINUTE)
        tell(timezone.now() + minute * MINUTE)
    assert open_rules() == [rule.value]
    told = {(message.to[0], message.extra_headers["Message-ID"]) for message in mail.outbox}
    assert len(mail.outbox) == len(told) == 2  # to those who can do something
    assert {who for who, _ in told} == (
        {"hanna@example.com", "milo@example.com"} if rule is RuleName.QUEUE else {"ada@example.com", "max@example.com"}
    )

    mend()
    look(NOW + 3 * MINUTE)

    assert open_rules() == []
    assert Notice.objects.count() == 1


def test_a_full_disk_is_told_to_the_host(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    mend = break_disk(cast, monkeypatch)
    look(NOW)
    assert open_rules() == ["disk"]
    mend()
    look(NOW + MINUTE)

    assert open_rules() == []


def test_a_scheduler_that_stood_still_is_known_once_it_runs_again(cast: Cast) -> None:
    for minutes in (0, 1, 20):
        look(NOW + minutes * MINUTE)
    assert open_rules() == ["scheduler"]
    look(NOW + 21 * MINUTE)
    assert open_rules() == ["scheduler"]
    for minutes in range(25, 90, 5):
        look(NOW + minutes * MINUTE)

    assert open_rules() == []
    assert Pulse.objects.get().at == NOW + 85 * MINUTE


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


def set_waiting(cast: Cast, pixel: Pixel | None = None, **wanted: Any) -> None:
    principal = principal_of_user(cast.max)
    given = {"muted": False, "threshold": None, **wanted}
    pixel_id = pixel.pixel_id if pixel else None
    set_rule(principal=principal, tenant_id=cast.shoes.pk, rule="waiting", pixel_id=pixel_id, **given)


def test_a_muted_rule_is_closed_and_what_is_as_before_leaves_no_row(cast: Cast) -> None:
    break_waiting(cast)
    look(NOW)
    set_waiting(cast, muted=True)
    look(NOW + MINUTE)
    assert open_rules() == []

    set_waiting(cast)
    assert not RuleSetting.objects.exists()
    assert AuditEntry.objects.filter(act="set alert rule").count() == 2


def test_a_pixels_threshold_goes_before_its_accounts(cast: Cast) -> None:
    row = OutboxRowFactory.create(pixel=PixelFactory.create(tenant=cast.shoes), received_at=NOW - 31 * MINUTE)
    set_waiting(cast, threshold=60)
    look(NOW)
    assert open_rules() == []

    set_waiting(cast, row.pixel, threshold=20)
    look(NOW + MINUTE)

    assert open_rules() == ["waiting"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"rule": "nonsense"}, "rule: must be one of"),
        ({"rule": "disk"}, "rule: must be one of"),
        ({"rule": "token", "threshold": 1}, "threshold: cannot be set"),
        ({"rule": "success", "threshold": 101}, "threshold: must be between 1 and 100."),
        ({"rule": "success", "threshold": 0}, "threshold: must be between 1 and 100."),
    ],
    ids=["unknown", "the host's", "none", "too high", "nought"],
)
def test_what_makes_no_sense_is_refused(cast: Cast, wanted: dict[str, Any], says: str) -> None:
    given = {"tenant_id": cast.shoes.pk, "muted": False, "threshold": None, **wanted}
    with pytest.raises(InvalidInput) as refused:
        set_rule(principal=principal_of_user(cast.ada), **given)

    assert refused.value.message.startswith(says)
    assert not RuleSetting.objects.exists()


@pytest.mark.parametrize("who", ["vic", "olaf"])
def test_who_may_not_change_the_account_sets_no_rule(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        set_rule(
            principal=principal_of_user(getattr(cast, who)),
            tenant_id=cast.shoes.pk, rule="waiting", muted=True, threshold=None,
        )  # fmt: skip
    assert not RuleSetting.objects.exists()


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
    set_waiting(cast, pixel, muted=True)
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


def test_what_waits_at_a_failing_pixel_is_no_matter_of_the_queue(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    Lane.objects.create(pixel=pixel, failures=2)
    OutboxRowFactory.create(pixel=pixel, received_at=NOW - 11 * MINUTE, counted=False)

    assert list(RULE_OF[RuleName.QUEUE].find(Look(NOW))) == []


def test_staff_mute_a_rule_where_an_incident_is_and_take_that_back(cast: Cast) -> None:
    rejected(cast)
    look(NOW)
    client, incident = login(cast.hanna), Incident.objects.get()
    incidents = reverse("admin:alerts_incident_changelist")
    assert client.get(reverse("admin:alerts_incident_change", args=[incident.pk])).status_code == 200
    client.post(incidents, {"action": "mute", "_selected_action": [incident.pk]})
    look(NOW + MINUTE)
    assert open_rules() == []

    client.post(
        reverse("admin:alerts_rulesetting_changelist"),
        {"action": "reset", "_selected_action": [RuleSetting.objects.get().pk]},
    )
    look(NOW + 2 * MINUTE)

    assert open_rules() == ["token"]
