"""The host's settings: its name, and mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from accounts.models import AuditEntry, HostSettings
from accounts.models.host import host_name
from tests.accounts.pages import of, words
from tests.base import Cast, login, snapshot

SMTP = "django.core.mail.backends.smtp.EmailBackend"


# --- Name ------------------------------------------------------------------------------------------------------------


def test_the_host_is_called_what_the_environment_says_until_it_is_renamed(cast: Cast, settings: Settings) -> None:
    settings.HOST_NAME = "Agency"
    assert host_name() == "Agency"

    page = login(cast.hanna).post("/hub/settings/host/name/", {"name": " Signals & Co "}, follow=True)

    assert host_name() == "Signals & Co"
    assert "<title>Host settings · Signals &amp; Co</title>" in page.content.decode()
    assert AuditEntry.objects.get().changes == {"name": ["Agency", "Signals & Co"]}


def test_a_second_renaming_changes_the_one_row(cast: Cast) -> None:
    hanna = login(cast.hanna)
    for name in ("One", "Two", "Two"):
        hanna.post("/hub/settings/host/name/", {"name": name})

    assert HostSettings.objects.get().name == "Two"
    assert AuditEntry.objects.count() == 2


def test_mails_carry_the_name(cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    HostSettings.objects.create(name="Signals & Co")
    with django_capture_on_commit_callbacks(execute=True):
        login(cast.ada).post(of(cast.shoes, "users/invite/"), {"email": "ines@example.com", "level": "view"})

    assert "Signals & Co" in mail.outbox[0].subject


@pytest.mark.parametrize("name", ["", "x" * 101, "a\tb", "a\0b"])
def test_a_name_that_is_refused_stays_typed(cast: Cast, name: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post("/hub/settings/host/name/", {"name": name})

    assert page.status_code == 400
    assert page.context["form"].errors["name"]
    assert page.context["form"]["name"].value() == name
    assert snapshot() == before


@pytest.mark.parametrize(("who", "status"), [("milo", 403), ("vera", 403), ("ada", 404)])
def test_only_admins_rename_the_host(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post("/hub/settings/host/name/", {"name": "Mine"}).status_code == status
    assert snapshot() == before


def test_whoever_may_only_look_reads_the_name(cast: Cast) -> None:
    page = login(cast.vera).get("/hub/settings/host/")

    assert "Host name Gateway Portal" in words(page)
    assert "Save" not in words(page)


@pytest.mark.parametrize("page", ["", "host/", "users/", "activity/", "api-accounts/", "api-reference/", "mail/"])
def test_the_pages_are_the_hosts_alone_and_cost_little(
    cast: Cast, page: str, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    vera = login(cast.vera)
    with django_assert_max_num_queries(12):
        shown = vera.get(f"/hub/settings/{page}")

    assert shown.status_code == (200 if page else 302)
    if page:
        assert login(cast.ada).get(f"/hub/settings/{page}").status_code == 404


def test_the_page_says_what_the_operator_has_set(cast: Cast, settings: Settings) -> None:
    settings.BASE_URL = "https://gateway.example.net"
    assert "Address of the gateway https://gateway.example.net" in words(login(cast.vera).get("/hub/settings/host/"))
    assert "REQUIRE_MFA_FOR_HOST" in words(login(cast.vera).get("/hub/settings/host/"))


# --- Mail ------------------------------------------------------------------------------------------------------------


def test_the_mail_server_is_shown_without_its_password(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "smtp.example.com", 587
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "the-mailer", "hush-hush"
    settings.EMAIL_USE_TLS = True

    page = login(cast.vera).get("/hub/settings/mail/")

    assert "Mail server smtp.example.com Port 587 Encryption STARTTLS Signs in Yes" in words(page)
    assert "hush-hush" not in page.content.decode()
    assert "Send test email" not in words(page)


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("accounts.mail.ConsoleBackend", "No mail server is set up. The portal prints its mails where it runs"),
        ("django.core.mail.backends.dummy.EmailBackend", "The portal sends no mails."),
        (SMTP, "Encryption None: passwords and links travel in the clear Signs in No"),
    ],
)
def test_the_page_says_how_mails_are_sent(cast: Cast, settings: Settings, backend: str, said: str) -> None:
    settings.EMAIL_BACKEND = backend

    assert said in words(login(cast.hanna).get("/hub/settings/mail/"))


def test_a_test_mail_goes_to_whoever_asks(cast: Cast) -> None:
    page = login(cast.hanna).post("/hub/settings/mail/", {"email": "else@example.com"}, follow=True)

    assert [message.to for message in mail.outbox] == [["hanna@example.com"]]
    assert "A test mail was sent to hanna@example.com." in words(page)


def test_a_mail_server_that_refuses_is_quoted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    page = login(cast.hanna).post(
        "/hub/settings/mail/", follow=True, headers={"Referer": "http://testserver/hub/settings/mail/"}
    )

    assert "The mail server did not take the mail" in words(page)
    assert page.request["PATH_INFO"] == "/hub/settings/mail/"


@pytest.mark.parametrize(("who", "status"), [("milo", 403), ("vera", 403), ("ada", 404)])
def test_only_admins_send_test_mails(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post("/hub/settings/mail/").status_code == status
    assert (snapshot(), mail.outbox) == (before, [])
