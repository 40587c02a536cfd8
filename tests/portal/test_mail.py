"""Mails: how they look, where they go, and what happens when they cannot."""

from __future__ import annotations

import logging
import smtplib

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import translation
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Membership
from accounts.principals import principal_of_user
from accounts.services.mail import send_test_mail
from portal.errors import Conflict, InvalidInput, NotAuthorized
from portal.mail import compose, deliver
from tests.base import Cast


class Refusing:
    """A mail server that is not there."""

    def __init__(self, **kwargs: object) -> None: ...

    def send_messages(self, messages: object) -> int:
        raise smtplib.SMTPServerDisconnected("no mail server")


REFUSING = f"{__name__}.Refusing"


def invitation(cast: Cast) -> EmailMessage:
    membership = Membership.objects.get(user=cast.vic)
    return compose(
        "emails/invitation", "nora@example.com", {"membership": membership, "link": "https://x.example/?a&b"}
    )


def test_a_mail_has_a_text_and_the_same_in_html(cast: Cast) -> None:
    message = invitation(cast)
    [(html, kind)] = message.alternatives  # type: ignore[attr-defined]

    assert message.subject == "Your invitation to Gateway Portal"
    assert "https://x.example/?a&b" in message.body
    assert kind == "text/html"
    assert 'href="https://x.example/?a&amp;b"' in html
    assert "Shoes" in html


def test_an_accounts_name_is_no_html_in_a_mail(cast: Cast) -> None:
    cast.shoes.name = "<b>Shoes</b> & more"
    cast.shoes.save()
    message = invitation(cast)

    assert "<b>Shoes</b> & more" in message.body
    assert "&lt;b&gt;Shoes" in message.alternatives[0][0]  # type: ignore[attr-defined]


def test_a_mail_speaks_the_language_of_who_sends_it(cast: Cast) -> None:
    with translation.override("es"):
        assert invitation(cast).subject == "Tu invitación a Gateway Portal"


def test_a_mail_waits_for_the_commit(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deliver(invitation(cast))
        assert mail.outbox == []

    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_stops_nothing_and_is_logged_without_its_text(
    cast: Cast,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_BACKEND = REFUSING
    message = invitation(cast)

    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        deliver(message)

    assert "A mail could not be sent." in caplog.text
    assert "x.example" not in caplog.text


def test_without_a_mail_server_mails_are_printed_beside_what_commands_print(
    cast: Cast, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "portal.mail.ConsoleBackend"
    invitation(cast).send()

    printed = capsys.readouterr()
    assert "https://x.example/?a&b" in printed.err
    assert printed.out == ""


def test_the_host_tries_its_mail_server(cast: Cast) -> None:
    send_test_mail(principal=principal_of_user(cast.hanna), email="Hanna@Example.com")

    assert [message.to for message in mail.outbox] == [["hanna@example.com"]]


def test_the_trial_tells_what_the_mail_server_says(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND = REFUSING

    with pytest.raises(Conflict, match="no mail server"):
        send_test_mail(principal=principal_of_user(cast.hanna), email="hanna@example.com")


def test_only_the_hosts_admins_try_it(cast: Cast) -> None:
    for user in (cast.milo, cast.vera, cast.ada):
        with pytest.raises(NotAuthorized):
            send_test_mail(principal=principal_of_user(user), email="hanna@example.com")
    with pytest.raises(InvalidInput):
        send_test_mail(principal=principal_of_user(cast.hanna), email="nobody")
    assert mail.outbox == []
