"""Requests to addresses that a customer names: to the internet alone, in a given time, with a bounded answer.

Whoever may name an address could have the server ask its own network, its cloud's metadata or itself. So a name is
looked up once for each connection, and the connection is made to the very address that was checked: an answer of the
DNS that changes between two look-ups changes nothing. Redirects are not followed. Nothing is taken from the
environment (``HTTPS_PROXY``), no cookie is kept, and an address in a URL is its usual form or none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.resolver
import httpcore
import httpx
from django.conf import settings

from common.deadlines import DeadlineBackend, DeadlineTransport, ends_after, seconds_left
from common.public_addresses import Address, is_public, is_within

ANSWER_MAX_BYTES = 65_536
#: Of one name; the time is shared between them.
ADDRESSES_TRIED = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; of the body, as much as came in time and within bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Silence:
    """There was no answer. ``reason`` names the kind of fault, and no address or secret."""

    reason: str


class AddressRefused(httpcore.ConnectError):
    """The name leads to no address that may be asked."""


def ask(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, seconds: float
) -> Reply | Silence:
    """Ask once. Looking up, connecting, sending and the answer's head take ``seconds`` at most, all together."""
    told = {**headers, "Accept-Encoding": "identity"}
    try:
        with (
            ends_after(seconds),
            _client().stream(method, url, content=body, headers=told, timeout=seconds) as response,
        ):
            return Reply(response.status_code, response.headers, _read(response))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Silence("address not permitted" if isinstance(error.__cause__, AddressRefused) else type(error).__name__)


def _read(response: httpx.Response) -> bytes:
    """The beginning of the body. The head was the answer: a body that drips, or does not end, takes nothing back."""
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= ANSWER_MAX_BYTES:
                break
    except httpx.HTTPError:
        pass
    return bytes(body[:ANSWER_MAX_BYTES])


@cache
def _client() -> httpx.Client:
    """The process's client, whose connections its threads share; nobody's cookies."""
    connections = settings.CELERY_WORKER_CONCURRENCY
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.Client(
        transport=DeadlineTransport(limits, PublicBackend()),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


class PublicBackend(DeadlineBackend):
    """Connections to permitted addresses alone."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = [address for address in addresses_of(host) if may_be_asked(address)][:ADDRESSES_TRIED]
        if not addresses:
            raise AddressRefused("The name leads to no address that may be asked.")
        for left in range(len(addresses), 1, -1):
            share = seconds_left(timeout, httpcore.ConnectTimeout) / left
            try:
                return super().connect_tcp(str(addresses[-left]), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)


def may_be_asked(address: Address) -> bool:
    """Is it the internet's, or does the operator permit it?"""
    return is_public(address) or is_within(address, settings.DESTINATION_ALLOWED_NETWORKS)


def addresses_of(host: str) -> list[Address]:
    """What a name stands for, or the address that it is.

    The DNS is asked directly: the system's look-up has no deadline, and takes ``2130706433`` for an address.
    """
    try:
        return [ip_address(host)]
    except ValueError:
        return _looked_up(host, seconds_left(None, httpcore.ConnectTimeout))


def _looked_up(name: str, seconds: float) -> list[Address]:
    started = time.monotonic()
    try:
        answers = dns.resolver.resolve_name(name, lifetime=seconds)
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        if time.monotonic() - started >= seconds:
            raise httpcore.ConnectTimeout("The name could not be looked up in time.") from error
        raise httpcore.ConnectError("The name could not be looked up.") from error
    found = [ip_address(address) for address in answers.addresses()]
    return sorted(found, key=lambda address: address.version)
