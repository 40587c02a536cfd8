"""Whom mails of incidents reach, when a mail server or an account does not do what is expected."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts.models import Tenant
from alerts.looking import look
from alerts.models import Incident, NoticeDelivery
from alerts.telling import tell
from events.models import DestinationLane
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import DestinationFactory, PixelFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
_send = EmailMessage.send


def refuse(monkeypatch: pytest.MonkeyPatch, address: str, code: int) -> None:
    def send(message: EmailMessage, *args: Any) -> int:
        if message.to == [address]:
            raise SMTPRecipientsRefused({address: (code, b"no such user")})
        return _send(message, *args)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", send)


@pytest.mark.parametrize(("code", "is_told"), [(550, True), (450, False)])
def test_a_refused_mailbox_keeps_no_other_from_being_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int, is_told: bool
) -> None:
    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    look()
    refuse(monkeypatch, "ada@example.com", code)

    with caplog.at_level(logging.WARNING):
        tell()

    assert [message.to for message in mail.outbox] == [["max@example.com"]]
    assert (NoticeDelivery.objects.get().told_at is not None) is is_told
    assert "ada@" not in caplog.text


def test_a_mail_server_that_is_away_is_asked_once_in_a_turn(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    PixelFactory.create_batch(3, tenant=cast.shoes, bad_token=True)
    look()
    asked = []

    def away(*_: object) -> None:
        asked.append(1)
        raise SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    tell()

    assert len(asked) == 1
    assert NoticeDelivery.objects.filter(due_at__lte=timezone.now()).count() == 2


def test_what_cannot_be_put_into_words_keeps_no_other_notice(cast: Cast) -> None:
    PixelFactory.create_batch(2, tenant=cast.shoes, bad_token=True)
    look()
    Incident.objects.filter(pk=Incident.objects.earliest("pk").pk).update(rule="of_a_later_version")

    tell()
    tell()

    assert NoticeDelivery.objects.exclude(told_at=None).count() == 1


def test_nobody_is_told_of_an_account_that_a_process_of_the_release_before_has_deleted(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.books, bad_token=True)
    look()
    gone = Tenant.objects.create(name="Gone", can_partner_manage=False)
    Incident.objects.update(tenant=gone)
    Tenant.objects.filter(pk=gone.pk)._raw_delete("default")

    tell()

    assert mail.outbox == []


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [("403", "no ada@example.com here", "403"), ("", "The private key cannot sign.", "The private key cannot sign")],
)
def test_a_mail_does_not_quote_what_a_destination_says(cast: Cast, code: str, message: str, said: str) -> None:
    destination = DestinationFactory.create(tenant=cast.shoes, name="Books")
    DestinationLane.objects.create(destination=destination, held=True, code=code, message=message)

    look()
    tell()

    body = str(mail.outbox[0].body).replace("\N{ZERO WIDTH SPACE}", "")
    assert f"Books refuses the gateway's requests: {said}. Its events wait." in body
    assert "ada@" not in f"{body}{Incident.objects.get().facts}"


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def test_what_comes_and_goes_is_told_once_an_hour(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    now = timezone.now()
    for minute in range(0, 20, 2):
        Pixel.objects.update(bad_token=True)
        look(now + minute * MINUTE)
        tell(now + minute * MINUTE)
        Pixel.objects.update(bad_token=False)
        look(now + (minute + 1) * MINUTE)
    tell(now + 61 * MINUTE)
    begun, over = ["Access token rejected · Shoes"] * 2, ["Over: Access token rejected · Shoes"] * 2
    assert subjects() == begun + over  # Ada's and Max's

    Pixel.objects.update(bad_token=True)
    look(now + 21 * MINUTE)
    tell(now + 59 * MINUTE)
    assert subjects() == begun + over
    tell(now + 61 * MINUTE)
    assert subjects() == begun + over + begun  # it has stayed


def test_a_killed_workers_mail_goes_out_within_minutes_to_those_who_lack_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def send(message: EmailMessage, *args: Any) -> int:
        if message.to == ["max@example.com"]:
            raise Killed
        return _send(message, *args)

    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    look()
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", send)
        with pytest.raises(Killed):
            tell()
    now = timezone.now()
    tell(now + MINUTE)  # it may still be at work
    assert [message.to[0] for message in mail.outbox] == ["ada@example.com"]

    tell(now + 2.1 * MINUTE)
    assert [message.to[0] for message in mail.outbox] == ["ada@example.com", "max@example.com"]


def test_whoever_mails_many_holds_the_delivery_anew_for_each(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another worker would begin in the middle of it."""
    PixelFactory.create(tenant=cast.shoes, bad_token=True)
    look()
    held: list[Any] = []

    def send(message: EmailMessage, *args: Any) -> int:
        held.append(NoticeDelivery.objects.get().due_at)
        clock[0] += 1.5 * MINUTE
        return _send(message, *args)

    clock = [timezone.now()]
    monkeypatch.setattr("alerts.channels.mail.timezone.now", lambda: clock[0])
    monkeypatch.setattr("django.core.mail.EmailMessage.send", send)
    tell()

    assert held[1] > held[0] + MINUTE
