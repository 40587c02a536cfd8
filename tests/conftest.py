"""What every test has: a data folder, the cast, and counters that start at nought."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import dns.resolver
import httpcore
import hypothesis
import pytest
from django.conf import settings
from django.core.cache import caches
from django.utils import translation
from pytest_django import Settings

from accounts.last_use import last_uses
from accounts.own_domains import forget_own_domains
from common import deadlines, public_http
from common.rate_limits import limiter
from events import findings
from events.delivery import graph_api
from events.intake.pixel_settings import forget_pixel_settings
from events.intake.refusals import forget_refusals
from events.refused import counting
from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.emptying import delete_what_tests_commit

pytest_plugins = ["tests.base"]

# A time for each example, or for making ten of them, would tell how busy the machine is.
hypothesis.settings.register_profile("portal", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("portal")


def _is_first_process(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")  # pytest-xdist gives it to its workers


def pytest_configure(config: pytest.Config) -> None:
    delete_what_tests_commit()
    if _is_first_process(config):
        settings.STATIC_ROOT.mkdir(parents=True)  # which is in DATA_DIR


def pytest_unconfigure(config: pytest.Config) -> None:
    if _is_first_process(config):
        shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True, scope="session")
def _connections_are_closed() -> Iterator[None]:
    """A process leaves it to the system; here it would be warned of."""
    yield
    for client in (graph_api._client, public_http._client):
        if client.cache_info().currsize:
            client().close()


@pytest.fixture(autouse=True)
def _the_internet_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test serves itself answers, as the Graph API or anybody else."""
    connect = deadlines.DeadlineBackend.connect_tcp

    def connect_here(self: Any, host: str, *args: Any, **options: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            raise httpcore.ConnectError(f"{host} is out of a test's reach.")
        return connect(self, host, *args, **options)

    def look_up(name: str, **options: Any) -> Any:
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(deadlines.DeadlineBackend, "connect_tcp", connect_here)
    monkeypatch.setattr(dns.resolver, "resolve_name", look_up)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """The stand-in for Meta, to which the portal publishes in this test."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        yield sandbox


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A request in Spanish leaves its language to the test that comes next in this thread."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _no_counts_of_earlier_tests() -> None:
    limiter().storage.reset()
    forget_refusals()
    for cache in caches.all():  # attempts to sign in, too, and what pages remember
        cache.clear()


@pytest.fixture(autouse=True)
def _no_pixels_of_earlier_tests() -> None:
    forget_pixel_settings()
    forget_own_domains()


@pytest.fixture(autouse=True)
def _no_wake_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests call the worker themselves: no thread of the intake's goes on after them."""
    for wake in ("wake", "wake_source", "wake_destination"):
        monkeypatch.setattr(f"events.intake.wakeups.{wake}", lambda pk: None)


@pytest.fixture(autouse=True)
def _no_thread_for_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests write down themselves what was left out of events, and what was refused."""
    findings._findings.reset()
    monkeypatch.setattr("events.findings.Findings._start", lambda self: None)
    counting._refused.reset()
    monkeypatch.setattr("events.refused.counting.Refused._start", lambda self: None)


@pytest.fixture(autouse=True)
def _no_thread_for_last_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests write down themselves when API accounts were used."""
    last_uses.reset()
    monkeypatch.setattr("accounts.last_use.LastUses._start", lambda self: None)
