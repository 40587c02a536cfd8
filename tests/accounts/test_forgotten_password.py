"""A forgotten password: the answer tells nobody who is known."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.mail import compose
from accounts.models import User
from accounts.services.passwords import mail_new_password
from tests.base import Cast


def test_nothing_is_looked_up_before_the_answer_to_a_forgotten_password(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """Whatever the address: its time must not tell who is known."""
    later: list[object] = []
    monkeypatch.setattr("accounts.services.passwords.send_in_background", lambda kind, make: later.append(make))
    Client().post("/auth/password/reset/", {"email": "warm@example.com"})

    for email in (cast.ada.email, "nobody@example.com"):
        with django_assert_num_queries(0):
            answer = Client().post("/auth/password/reset/", {"email": email})
        assert answer.headers["Location"] == "/auth/password/reset/done/"
    assert len(later) == 3


def test_as_much_is_done_for_an_address_that_nobody_has(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    made: list[str] = []

    def composed(template: str, to: str, context: dict[str, Any]) -> EmailMessage:
        made.append(to)
        return compose(template, to, context)

    monkeypatch.setattr("accounts.services.passwords.compose", composed)
    for email in (cast.ada.email, "nobody@example.com"):
        with django_assert_num_queries(2):  # the person, the host's name
            mail_new_password(email=email)

    assert made == [cast.ada.email, "nobody@example.com"]
    assert [message.to for message in mail.outbox] == [[cast.ada.email]]


def test_where_no_mail_is_sent_none_is_promised(client: Client, db: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"

    for page in ("/auth/password/reset/", "/auth/password/reset/done/"):
        assert "This portal sends no mails." in client.get(page).content.decode()


def test_who_is_deactivated_gets_no_link(cast: Cast) -> None:
    User.objects.filter(pk=cast.vic.pk).update(status=User.Status.DEACTIVATED)

    mail_new_password(email=cast.vic.email)

    assert mail.outbox == []
