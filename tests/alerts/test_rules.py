"""Each rule: what breaks it opens one incident, which is told once, and closes once it is mended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import ApiAccount, Tenant, TenantStatus
from alerts.looking import look
from alerts.models import Incident, Notice, Pulse, RuleName, RuleSetting
from alerts.rules.found import Look
from alerts.rules.table import RULE_OF
from alerts.telling import tell
from alerts.words import describe
from events.gateway import lanes
from events.models import (
    Counter,
    DestinationCounter,
    DestinationCursor,
    DestinationLane,
    DestinationRow,
    Finding,
    Lane,
    Registration,
    SourceFinding,
    SourceRow,
)
from pipelines.models import Source
from pixels.models import Pixel
from tests.alerts.stage import DAY, MINUTE, NOW, break_waiting, hour_of, open_rules, rejected
from tests.base import Cast
from tests.factories import (
    ApiAccountFactory,
    DestinationFactory,
    IngressDomainFactory,
    OutboxRowFactory,
    PixelFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db


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


def break_queue(cast: Cast) -> Any:
    pixel = PixelFactory.create(tenant=cast.shoes)
    row = OutboxRowFactory.create(pixel=pixel, received_at=NOW - 11 * MINUTE, counted=False)
    return row.delete


def break_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Any:
    usage = type("Usage", (), {"total": 100, "free": 5})
    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", lambda path: usage)
    return lambda: setattr(usage, "free", 50)


def break_waiting_destination(cast: Cast) -> Any:
    destination = DestinationFactory.create(tenant=cast.shoes)
    row = DestinationRow.objects.create(
        destination=destination, source=None, received_at=NOW - 31 * MINUTE, event_count=1, body=b"[{}]", options=""
    )
    return row.delete


def break_waiting_behind_a_cursor(cast: Cast) -> Any:
    """What a person holds is not refused, but waits."""
    source, destination = SourceFactory.create(tenant=cast.shoes), DestinationFactory.create(tenant=cast.shoes)
    cursor = DestinationCursor.objects.create(destination=destination, source=source, place=1)
    for place, minutes in ((1, 60), (2, 31), (3, 2)):
        put_row(source, place, NOW - minutes * MINUTE)
    lanes.hold(destination.pk)
    return lambda: DestinationCursor.objects.filter(pk=cursor.pk).update(place=2)


def put_row(source: Source, place: int | None, received_at: datetime) -> SourceRow:
    return SourceRow.objects.create(
        source=source, place=place, received_at=received_at, event_count=1, body=b"[{}]", options=""
    )


def break_success_of_destination(cast: Cast) -> Any:
    destination = DestinationFactory.create(tenant=cast.shoes)
    DestinationCounter.objects.create(
        destination=destination, span=1, dimension=0, start=NOW.replace(minute=0), published=80, failed=20
    )
    return lambda: DestinationCounter.objects.update(published=1_000)


def break_queue_of_sources(cast: Cast) -> Any:
    row = put_row(SourceFactory.create(tenant=cast.shoes), None, NOW - 11 * MINUTE)
    return row.delete


def break_refused(cast: Cast) -> Any:
    pixel = PixelFactory.create(tenant=cast.shoes)
    hour_of(pixel, received=80)
    return refuse(Finding, pixel=pixel)


def break_refused_of_source(cast: Cast) -> Any:
    return refuse(SourceFinding, source=SourceFactory.create(tenant=cast.shoes))


def refuse(findings: Any, **owner: Any) -> Any:
    """In the last hour: the share is that of two."""
    hour = NOW.replace(minute=0) - 60 * MINUTE
    row = findings.objects.create(
        **owner, hour=hour, kind=findings.Kind.REFUSED, road="server", field="event_time", reason="time_too_old",
        count=10, events=20,
    )  # fmt: skip
    return row.delete


def break_api_account(cast: Cast) -> Any:
    account = ApiAccountFactory.create(name="Till", expires_at=NOW + 13 * DAY)
    ApiAccount.objects.filter(pk=account.pk).update(created_at=NOW - 90 * DAY)
    return lambda: ApiAccount.objects.filter(pk=account.pk).update(expires_at=NOW + 90 * DAY)


BREAKS: dict[str, tuple[RuleName, Callable[[Cast], Callable[[], Any]]]] = {
    "token": (RuleName.TOKEN, break_token),
    "destination": (RuleName.DESTINATION, break_destination),
    "registration": (RuleName.REGISTRATION, break_registration),
    "domain": (RuleName.DOMAIN, break_domain),
    "success": (RuleName.SUCCESS, break_success),
    "success of a destination": (RuleName.SUCCESS, break_success_of_destination),
    "waiting": (RuleName.WAITING, break_waiting),
    "waiting for a destination": (RuleName.WAITING, break_waiting_destination),
    "waiting behind a cursor": (RuleName.WAITING, break_waiting_behind_a_cursor),
    "queue": (RuleName.QUEUE, break_queue),
    "queue of sources": (RuleName.QUEUE, break_queue_of_sources),
    "refused at intake": (RuleName.REFUSED, break_refused),
    "refused of a source": (RuleName.REFUSED, break_refused_of_source),
    "API account": (RuleName.API_ACCOUNT, break_api_account),
}
_HOSTS = (RuleName.QUEUE, RuleName.API_ACCOUNT)


@pytest.mark.parametrize(("rule", "break_it"), BREAKS.values(), ids=BREAKS)
def test_a_rule_opens_once_is_told_once_and_closes(
    cast: Cast, rule: RuleName, break_it: Callable[[Cast], Callable[[], Any]]
) -> None:
    mend = break_it(cast)
    for minute in range(3):
        look(NOW + minute * MINUTE)
        tell(timezone.now() + minute * MINUTE)
    assert open_rules() == [rule.value]
    told = {(message.to[0], message.extra_headers["Message-ID"]) for message in mail.outbox}
    assert len(mail.outbox) == len(told) == 2  # to those who can do something
    assert {who for who, _ in told} == (
        {"hanna@example.com", "milo@example.com"} if rule in _HOSTS else {"ada@example.com", "max@example.com"}
    )

    mend()
    look(NOW + 3 * MINUTE)

    assert open_rules() == []
    assert sorted(Notice.objects.values_list("kind", flat=True)) == ["closed", "opened"]


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


def test_what_waits_at_a_failing_pixel_is_no_matter_of_the_queue(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    Lane.objects.create(pixel=pixel, failures=2)
    OutboxRowFactory.create(pixel=pixel, received_at=NOW - 11 * MINUTE, counted=False)

    assert list(RULE_OF[RuleName.QUEUE].find(Look(NOW))) == []


def test_whoever_holds_a_destination_is_not_told_that_it_refuses(cast: Cast) -> None:
    destination = DestinationFactory.create(tenant=cast.shoes)
    lanes.hold(destination.pk)
    look(NOW)

    assert open_rules() == []


@pytest.mark.parametrize("rule", [RuleName.WAITING, RuleName.SUCCESS, RuleName.REFUSED], ids=str)
def test_nobody_is_told_of_a_deactivated_account(cast: Cast, rule: RuleName) -> None:
    for name, break_it in BREAKS.values():
        if name is rule:
            break_it(cast)
    Tenant.objects.filter(pk=cast.shoes.pk).update(status=TenantStatus.DEACTIVATED)
    look(NOW)

    assert open_rules() == []


def test_few_refusals_and_junk_that_was_not_let_in_raise_no_alarm(cast: Cast) -> None:
    few, junk = PixelFactory.create_batch(2, tenant=cast.shoes)
    refuse(Finding, pixel=few)
    hour_of(few, received=1_000)
    refuse(Finding, pixel=junk)
    Finding.objects.filter(pixel=junk).update(kind=Finding.Kind.NOT_LET_IN)
    look(NOW)

    assert open_rules() == []


def test_the_share_of_refused_events_is_muted_for_one_pixel(cast: Cast) -> None:
    break_refused(cast)
    RuleSetting.objects.create(tenant=cast.shoes, pixel=Pixel.objects.get(), rule="refused", muted=True)
    look(NOW)
    assert open_rules() == []

    RuleSetting.objects.update(muted=False, threshold=19)
    look(NOW + MINUTE)
    assert Incident.objects.get(closed_at=None).facts["percent"] == 20


@pytest.mark.parametrize(
    ("made", "ends", "is_told"),
    [
        (-365 * DAY, 13 * DAY, True),
        (-365 * DAY, 15 * DAY, False),
        (-3 * DAY, 4 * DAY, False),
        (-6 * DAY, 1 * DAY, True),
        (-1 * DAY + MINUTE, MINUTE, False),
        (-90 * DAY, -6 * DAY, True),
        (-90 * DAY, -8 * DAY, False),
    ],
    ids=["soon", "not yet", "young", "of a week", "made for a day", "of late", "long ago"],
)
def test_an_api_account_is_told_of_in_time(cast: Cast, made: timedelta, ends: timedelta, is_told: bool) -> None:
    account = ApiAccountFactory.create(expires_at=NOW + ends)
    ApiAccount.objects.filter(pk=account.pk).update(created_at=NOW + made)
    look(NOW)

    assert bool(open_rules()) is is_told


def test_an_api_accounts_incident_follows_its_end_and_goes_with_it(cast: Cast) -> None:
    break_api_account(cast)
    look(NOW)
    assert "2026-03-17 10:30 UTC" in describe(Incident.objects.get()).what

    ApiAccount.objects.update(expires_at=NOW + 2 * DAY)
    look(NOW + MINUTE)
    assert "2026-03-06 10:30 UTC" in describe(Incident.objects.get()).what
    assert Notice.objects.count() == 1

    ApiAccount.objects.all().delete()
    look(NOW + 2 * MINUTE)
    assert open_rules() == []
