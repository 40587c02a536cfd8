"""Alerts by a real mail server: one that takes everything, one that refuses somebody, one that hangs."""

from __future__ import annotations

import asyncio
import email
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone
from pytest_django import Settings

from accounts.mail import Kind, send_later
from accounts.models import RoleLevel, User
from alerts.looking import look
from alerts.models import Notice, NoticeDelivery
from alerts.telling import tell
from tests.base import Cast, person
from tests.factories import OutboxRowFactory, PixelFactory
from tests.instance import free_port

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@dataclass
class Server:
    """What was mailed; whose mail is refused with which code, and at whose the server hangs."""

    mails: list[tuple[str, Message]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    hangs_at: str = ""

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if code := self.refused.get(address):
            return f"{code} {address} is not for us"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        [to] = envelope.rcpt_tos
        if to == self.hangs_at:
            await asyncio.sleep(3)  # longer than the portal waits
        else:
            self.mails.append((to, email.message_from_bytes(envelope.content)))
        return "250 OK"

    @property
    def told(self) -> list[str]:
        """Who was mailed, in order."""
        return [to.partition("@")[0] for to, _ in self.mails]


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", controller.port, 2
    yield handler
    controller.stop()


@pytest.fixture
def three(cast: Cast) -> None:
    """Ada, Max and Zoe look after Shoes, one of whose pixels has lost its token."""
    for user in User.objects.all():
        user.email = user.email.replace("example.com", "shoes.io")
        user.save()
    person("zoe", cast.shoes, RoleLevel.ADMIN, domain="shoes.io")
    PixelFactory.create(tenant=cast.shoes, name="Shop 24", bad_token=True)
    look()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the portal logs, with exceptions; the mail server here has a log of its own."""
    return [
        logging.Formatter().format(each) for each in caplog.records if not each.name.startswith(("mail", "asyncio"))
    ]


def is_told() -> bool:
    return NoticeDelivery.objects.get().told_at is not None


@pytest.mark.usefixtures("three")
def test_everybody_gets_a_mail_of_their_own_under_the_notices_id(server: Server) -> None:
    tell()

    assert server.told == ["ada", "max", "zoe"]
    ids = {mail["Message-ID"].partition("@")[0].lstrip("<") for _, mail in server.mails}
    assert ids == {str(Notice.objects.get().pk)}
    assert {mail["To"] for to, mail in server.mails} == {"ada@shoes.io", "max@shoes.io", "zoe@shoes.io"}


def test_figures_and_ids_are_whole_and_names_make_no_links(server: Server, three: None, cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="", bad_token=True)
    OutboxRowFactory.create(
        pixel=PixelFactory.create(tenant=cast.shoes, name="evil.example"), received_at=timezone.now() - 60 * MINUTE
    )
    look()
    tell()

    texts = "".join(bytes(mail.get_payload(decode=True)).decode() for _, mail in server.mails)
    assert f"the access token of {pixel.pixel_id}." in texts
    assert "for 60 minutes" in texts
    assert "evil.example" not in texts
    assert "evil.\N{ZERO WIDTH SPACE}example" in texts


@pytest.mark.usefixtures("three")
def test_one_who_is_refused_for_a_while_is_told_later_and_the_others_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.refused["max@shoes.io"] = 450
    with caplog.at_level(logging.INFO):
        tell()
    assert server.told == ["ada", "zoe"]
    assert not is_told()
    assert "shoes.io" not in "\n".join(said(caplog))

    server.refused.clear()
    tell(timezone.now() + 2 * MINUTE)

    assert server.told == ["ada", "zoe", "max"]
    assert is_told()


@pytest.mark.usefixtures("three")
def test_one_who_is_refused_for_good_is_not_asked_again(server: Server) -> None:
    server.refused["max@shoes.io"] = 550
    tell()
    server.refused.clear()
    tell(timezone.now() + 2 * MINUTE)

    assert server.told == ["ada", "zoe"]
    assert is_told()


@pytest.mark.usefixtures("three")
def test_a_server_that_hangs_in_the_middle_sends_nobody_the_same_twice(server: Server) -> None:
    server.hangs_at = "max@shoes.io"
    tell()
    assert server.told == ["ada"]
    assert not is_told()

    server.hangs_at = ""
    tell(timezone.now() + 2 * MINUTE)

    assert server.told == ["ada", "max", "zoe"]
    assert is_told()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("to", ["max@shoes.io", "ada@shoes.io"], ids=["refused", "hanging"])
def test_a_mail_that_fails_leaves_no_address_in_the_log(
    server: Server, cast: Cast, caplog: pytest.LogCaptureFixture, to: str
) -> None:
    server.refused["max@shoes.io"], server.hangs_at = 550, "ada@shoes.io"

    with caplog.at_level(logging.DEBUG):
        send_later("emails/test", to, {}, kind=Kind.TEST, language="")

    told = [line for line in said(caplog) if "A mail could not be sent" in line]
    reason = "SMTPRecipientsRefused 550" if to.startswith("max") else "SMTPServerDisconnected"
    assert told == [f"A mail could not be sent: {reason}."]
    assert "shoes.io" not in "\n".join(said(caplog))
