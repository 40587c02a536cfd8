"""TRUSTED_PROXIES: whose word about the caller is believed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.signals import request_started
from django.test import RequestFactory
from pytest_django import Settings

from portal import rsgi
from tests.rsgi import ask_as

Ask = Callable[..., tuple[int, str]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(settings: Settings) -> Iterator[Ask]:
    """Ask for a page of a portal that speaks https alone, behind proxies in 10.0.0.0/24.

    Returns the answer's status and the address that Django takes for the caller's.
    """
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    importlib.reload(rsgi)

    def answer(remote_address: str, **headers: str) -> tuple[int, str]:
        environ = RequestFactory().get("/api/docs", REMOTE_ADDR=remote_address, headers=headers).environ
        seen: list[str] = []

        def note(environ: dict[str, Any], **kwargs: object) -> None:
            seen.append(environ["REMOTE_ADDR"])

        request_started.connect(note)
        status = ask_as(environ).status
        request_started.disconnect(note)
        (caller,) = seen
        return status, caller

    yield answer
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = False, []
    importlib.reload(rsgi)  # other tests ask the application as it was


def test_a_trusted_proxy_tells_caller_and_scheme(ask: Ask) -> None:
    assert ask("10.0.0.1", x_forwarded_for="192.0.2.7", x_forwarded_proto="https") == (200, "192.0.2.7")
    assert ask("10.0.0.1", x_forwarded_for="192.0.2.7", x_forwarded_proto="http")[0] == 308


def test_a_stranger_is_not_believed(ask: Ask) -> None:
    answer = ask("192.0.2.7", x_forwarded_for="127.0.0.1", x_forwarded_proto="https")

    assert answer == (308, "192.0.2.7")


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ("127.0.0.1, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:5678", "192.0.2.7"),
        ("192.0.2.7:5678, 10.0.0.2:443", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:5678", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("192.0.2.7, unknown", "10.0.0.1"),
        ("192.0.2.7, _hidden, 10.0.0.2", "10.0.0.1"),
        ("192.0.2.7,", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
        ("192.0.2.7:port", "10.0.0.1"),
        ("999.0.2.7:80", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_caller_is_the_last_address_that_is_not_a_proxys(ask: Ask, forwarded: str, caller: str) -> None:
    assert ask("10.0.0.1", x_forwarded_for=forwarded, x_forwarded_proto="https") == (200, caller)


def test_a_proxy_that_reaches_us_by_ipv6_is_known_by_its_ipv4_address(ask: Ask) -> None:
    assert ask("::ffff:10.0.0.1", x_forwarded_for="192.0.2.7", x_forwarded_proto="https") == (200, "192.0.2.7")


@pytest.mark.parametrize("stranger", ["10.0.1.1", "2001:db8::1", "::ffff:10.0.1.1", ""])
def test_other_networks_are_strangers(ask: Ask, stranger: str) -> None:
    assert ask(stranger, x_forwarded_for="192.0.2.7", x_forwarded_proto="https")[1] == stranger


def test_what_a_caller_writes_into_the_list_counts_for_nothing(ask: Ask) -> None:
    """Proxies add to the end: the caller is the last address that is not a proxy's."""
    _, caller = ask("10.0.0.1", x_forwarded_for="127.0.0.1, 192.0.2.7, 10.0.0.2", x_forwarded_proto="https")

    assert caller == "192.0.2.7"
