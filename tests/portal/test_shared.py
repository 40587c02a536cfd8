"""What all processes of an instance must share: their keys, and the settings that were noted."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import Error
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from common import env
from portal import health, shared
from portal.models import Canary
from portal.run import FURTHER_WORKER, WEB
from tests.instance import Instance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_is_ready", False)


def new_key() -> str:
    return Fernet.generate_key().decode()


def refusal() -> str:
    with pytest.raises(shared.NotShared) as refused:
        shared.check()
    return str(refused.value)


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_the_first_process_makes_the_canary_and_the_next_opens_it() -> None:
    shared.check()
    sealed = Canary.objects.get().agreed

    shared.check()

    assert Canary.objects.get().agreed == sealed


def test_a_process_with_other_keys_must_not_work(settings: Settings) -> None:
    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]

    assert refusal().startswith("FIELD_ENCRYPTION_KEYS must hold a key that opens what is in the database")


def test_while_keys_change_those_of_the_old_and_of_the_new_work(settings: Settings) -> None:
    shared.check()
    (old,), new = settings.FIELD_ENCRYPTION_KEYS, new_key()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    shared.check()

    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    call_command("rotate_keys", stdout=StringIO())

    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    assert "FIELD_ENCRYPTION_KEYS" in refusal()


def test_who_has_lost_the_keys_says_so_and_goes_on(settings: Settings) -> None:
    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]

    call_command("rotate_keys", "--keys-are-lost", stdout=StringIO())

    shared.check()


# --- Settings --------------------------------------------------------------------------------------------------------

OTHERS: dict[str, Any] = {
    "SECRET_KEY": "x" * 50,
    "BASE_URL": "https://other.example.com",
    "REQUIRE_MFA_FOR_HOST": True,
    "CELERY_QUEUE_PREFIX": "other",
    "GRAPH_API_VERSION": "v23.0",
    "COUNTER_RETENTION": 10,
    "FORMER_PEOPLE_RETENTION": 10,
    "AUDIT_RETENTION": 10,
    "DELIVERY_LOG_DAYS": 1,
    "CELERY_BROKER_URL": "redis://10.0.0.7:6379/0",
    "RATE_LIMIT_STORAGE_URL": "redis://10.0.0.7:6379/0",
    "GRAPH_API_URL": "http://127.0.0.1:8010",
}


def test_every_setting_that_must_agree_is_tried() -> None:
    assert OTHERS.keys() == shared.AGREED.keys()


@pytest.mark.parametrize("name", OTHERS)
def test_a_process_with_another_setting_than_was_noted_must_not_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("GRAPH_API_URL", settings.GRAPH_API_URL)
    shared.note_settings()
    shared.check()
    setattr(settings, name, OTHERS[name])

    assert refusal() == (
        f"{name} must be that of the instance's other processes. Where it was changed for all of them, "
        "`manage.py first_start` notes it, once."
    )


def test_a_changed_setting_is_noted_by_the_first_start_of_a_deploy(settings: Settings) -> None:
    shared.note_settings()
    settings.BASE_URL = "https://other.example.com"

    call_command("first_start", stdout=StringIO())

    shared.check()


def test_a_first_start_with_other_keys_is_refused_and_changes_nothing(settings: Settings) -> None:
    shared.note_settings()
    sealed = Canary.objects.get().agreed
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]

    with pytest.raises(CommandError, match=r"^The portal cannot start: FIELD_ENCRYPTION_KEYS must hold a key"):
        call_command("first_start", stdout=StringIO())

    assert Canary.objects.get().agreed == sealed
    assert not User.objects.exists()


def test_a_broker_may_have_another_address_on_each_machine(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://localhost:6379/0"
    shared.note_settings()

    settings.CELERY_BROKER_URL = "rediss://portal:password@10.0.0.7:6379/0"
    shared.check()


def test_without_a_graph_api_url_the_sandbox_may_have_any_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPH_API_URL", raising=False)
    shared.note_settings()

    monkeypatch.setenv("GRAPH_API_URL", "http://127.0.0.1:8010")
    shared.check()


def test_neither_a_key_nor_a_setting_can_be_read_in_the_database(settings: Settings) -> None:
    shared.note_settings()

    agreed = Canary.objects.get().agreed
    assert settings.SECRET_KEY not in agreed.sealed
    assert settings.SECRET_KEY not in agreed.reveal()


# --- Processes -------------------------------------------------------------------------------------------------------


def test_a_web_process_that_shares_nothing_is_not_ready(client: Client, settings: Settings) -> None:
    shared.check()
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()["reason"]) == (
        503,
        "keys or settings are not those of the instance: the log tells which",
    )


def test_while_the_database_does_not_answer_processes_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Error

    monkeypatch.setattr(shared, "check", fail)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)

    shared.refuse_to_start_unshared()


BEAT = [sys.executable, "-m", "celery", "--app", "portal", "beat"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", [WEB, FURTHER_WORKER, BEAT], ids=["web", "worker", "beat"])
def test_no_process_starts_with_other_keys(command: list[str], tmp_path: Path) -> None:
    shared.check()
    instance = Instance(tmp_path, "http://127.0.0.1:9", FIELD_ENCRYPTION_KEYS=new_key())

    done = subprocess.run(
        command, cwd=env.ROOT, env=instance.environment, capture_output=True, text=True, check=False, timeout=300
    )

    assert done.returncode == 1
    assert "portal cannot start: FIELD_ENCRYPTION_KEYS must hold a key that opens" in done.stderr
