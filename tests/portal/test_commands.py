"""create_user and first_start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import ApiAccount, Membership, RoleLevel, User
from common import env
from tests.factories import ApiAccountFactory, TenantFactory, UserFactory
from tests.instance import free_port

PASSWORD = "correct horse battery staple"

Run = Callable[..., str]

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as from a shell with these variables, and return what it prints."""

    def run_command(*words: str, **environment: str) -> str:
        out = StringIO()
        with monkeypatch.context() as shell:
            for name in ("PORTAL_PASSWORD", "PORTAL_ADMIN_EMAIL"):
                shell.delenv(name, raising=False)
            for name, value in environment.items():
                shell.setenv(name, value)
            call_command(*words, stdout=out)
        return out.getvalue()

    return run_command


def test_create_user_prints_an_invitation_link(run: Run, settings: Settings) -> None:
    printed = run("create_user", "Ada@Shoes.example", "agency-admin")

    assert re.fullmatch(
        rf"{settings.BASE_URL}/auth/verify/\?token=[\w-]{{22}}&et=inv&email=Ada@Shoes\.example\n", printed
    )
    user = User.objects.get()
    assert (user.email, user.status) == ("ada@shoes.example", User.Status.PENDING)


def test_the_printed_link_opens(run: Run, client: Client, settings: Settings) -> None:
    printed = run("create_user", "ada@shoes.example", "agency-admin")

    assert client.get(printed.strip().removeprefix(settings.BASE_URL)).status_code == 200


@pytest.mark.parametrize("words", [["create_user", "ada@shoes.example", "agency-admin"], ["first_start"]])
def test_a_link_that_is_printed_is_not_printed_again_as_a_mail(
    run: Run,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    words: list[str],
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("accounts.mail._send", sent.append)
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"

    with django_capture_on_commit_callbacks(execute=True):
        assert run(*words).count("/auth/verify/?token=") == 1

    assert sent == []


def test_where_there_is_a_mail_server_the_invited_get_their_mail(
    run: Run, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("accounts.mail._send", sent.append)

    with django_capture_on_commit_callbacks(execute=True):
        run("create_user", "ada@shoes.example", "agency-admin")

    assert len(sent) == 1


def test_create_user_with_a_password_makes_somebody_who_can_sign_in(run: Run, client: Client) -> None:
    printed = run("create_user", "ada@shoes.example", "agency-admin", PORTAL_PASSWORD=PASSWORD)

    assert printed == "ada@shoes.example can sign in.\n"
    assert client.login(username="ada@shoes.example", password=PASSWORD)


def test_create_user_gives_a_role_in_an_account(run: Run) -> None:
    tenant = TenantFactory.create()

    run("create_user", "ada@shoes.example", f"advertiser-view-{tenant.pk}", PORTAL_PASSWORD=PASSWORD)

    assert [(role.tenant_id, role.level) for role in Membership.objects.all()] == [(tenant.pk, RoleLevel.VIEW)]


@pytest.mark.parametrize(
    ("email", "role", "password", "message"),
    [
        ("ada", "agency-admin", "", "email: must be an email address"),
        ("ada@shoes.example", "king", "", "role"),
        ("ada@shoes.example", "advertiser-admin-AAAAAAAA", "", "no account has this id"),
        ("ada@shoes.example", "agency-admin", "12345", "password: "),
    ],
)
def test_create_user_refuses_with_the_rule_and_changes_nothing(
    run: Run, email: str, role: str, password: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run("create_user", email, role, PORTAL_PASSWORD=password)

    assert not User.objects.exists()


def test_the_first_start_makes_an_admin_and_an_api_account(run: Run, settings: Settings) -> None:
    printed = run("first_start")

    assert settings.BASE_URL in printed
    assert "/auth/verify/?token=" in printed
    [membership] = Membership.objects.select_related("user")
    assert membership.user.email == "admin@localhost"
    assert (membership.tenant, membership.level) == (None, RoleLevel.ADMIN)
    assert ApiAccount.objects.get().name in printed


def test_the_first_start_with_a_password_makes_an_admin_who_can_sign_in(run: Run, client: Client) -> None:
    printed = run("first_start", PORTAL_PASSWORD=PASSWORD, PORTAL_ADMIN_EMAIL="hanna@host.example")

    assert "hanna@host.example with the password of PORTAL_PASSWORD" in printed
    assert PASSWORD not in printed
    assert client.login(username="hanna@host.example", password=PASSWORD)


@pytest.mark.parametrize(
    ("base_url", "email"),
    [
        ("https://gateway.example.com", "admin@gateway.example.com"),
        ("http://10.1.2.3:8000", "admin@localhost"),
        ("http://gateway", "admin@localhost"),
    ],
)
def test_the_first_admin_is_named_after_the_host(run: Run, settings: Settings, base_url: str, email: str) -> None:
    settings.BASE_URL = base_url

    run("first_start")

    assert User.objects.get().email == email


def test_a_first_start_that_is_refused_leaves_nothing(run: Run) -> None:
    with pytest.raises(CommandError, match=r"The first admin cannot be made\. password: "):
        run("first_start", PORTAL_PASSWORD="12345")

    assert not User.objects.exists()
    assert not ApiAccount.objects.exists()


def test_later_starts_tell_the_address_alone(run: Run, settings: Settings) -> None:
    run("first_start")

    assert run("first_start") == f"{settings.HOST_NAME} is at {settings.BASE_URL}\n"
    assert User.objects.count() == 1


@pytest.mark.parametrize("factory", [UserFactory, ApiAccountFactory])
def test_where_anybody_is_there_it_is_no_first_start(
    run: Run, factory: type[UserFactory] | type[ApiAccountFactory]
) -> None:
    factory.create()

    assert "token" not in run("first_start")


@pytest.mark.parametrize("words", [["migrate", "--no-input"], ["first_start"]])
def test_a_database_that_takes_no_connection_is_told_in_a_sentence(words: list[str]) -> None:
    url = f"postgres://portal:not-to-be-told@127.0.0.1:{free_port()}/portal"
    given = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=env.ROOT, env=given, check=False, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "The database that DATABASE_URL names takes no connection." in done.stderr
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "not-to-be-told" not in done.stderr + done.stdout
