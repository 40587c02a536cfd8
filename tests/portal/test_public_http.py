"""Requests to addresses that a customer names: what must not be reached is not, whatever it is called."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import dns.resolver
import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from common import deadlines, public_http
from common.public_addresses import is_public
from common.public_http import Reply, Silence, ask

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def permitted(settings: Settings) -> None:
    """The operator permits what the tests serve."""
    settings.DESTINATION_ALLOWED_NETWORKS = LOOPBACK


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the DNS answers, by name."""
    known: dict[str, list[str]] = {}

    def look_up(name: str, **options: Any) -> Any:
        if name not in known:
            raise dns.resolver.NXDOMAIN
        return SimpleNamespace(addresses=lambda: iter(known[name]))

    monkeypatch.setattr(dns.resolver, "resolve_name", look_up)
    return known


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that a connection was tried to."""
    tried: list[str] = []
    connect = deadlines.DeadlineBackend.connect_tcp

    def noted(self: Any, host: str, *args: Any, **options: Any) -> Any:
        tried.append(host)
        return connect(self, host, *args, **options)

    monkeypatch.setattr(deadlines.DeadlineBackend, "connect_tcp", noted)
    return tried


def served(httpserver: HTTPServer) -> str:
    return f"http://127.0.0.1:{httpserver.port}/"


def get(url: str, seconds: float = 5) -> Reply | Silence:
    return ask("GET", url, {}, seconds=seconds)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "2606:4700::1111%eth0",
        "168.63.129.16",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_the_internets_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111", "2a00::1",
     "::ffff:1.1.1.1", "64:ff9b::101:101"],
)  # fmt: skip
def test_what_is_the_internets_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "169.254.169.254",
        "%31%32%37.0.0.1",
    ],
)
def test_no_spelling_of_an_own_address_is_connected_to(host: str, httpserver: HTTPServer, connected: list[str]) -> None:
    assert isinstance(get(f"http://{host}:{httpserver.port}/"), Silence)

    assert connected == []
    assert httpserver.log == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_a_name_that_leads_to_an_own_address_is_not_connected_to(
    address: str, names: dict[str, list[str]], connected: list[str]
) -> None:
    names["harmless.example.com"] = [address]

    assert get("http://harmless.example.com/") == Silence("address not permitted")
    assert connected == []


def test_of_several_addresses_only_permitted_ones_are_tried(names: dict[str, list[str]], connected: list[str]) -> None:
    names["mixed.example.com"] = ["127.0.0.1", "2606:4700::1111", "192.0.1.7", "fe80::1"]

    assert isinstance(get("http://mixed.example.com/"), Silence)
    assert connected == ["192.0.1.7", "2606:4700::1111"]


@pytest.mark.usefixtures("permitted")
def test_the_operators_networks_are_permitted_under_any_name(
    httpserver: HTTPServer, names: dict[str, list[str]]
) -> None:
    names["crm.internal"] = ["127.0.0.1"]
    httpserver.expect_request("/", headers={"Host": f"crm.internal:{httpserver.port}"}).respond_with_data("here")

    reply = get(f"http://crm.internal:{httpserver.port}/")

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b"here")


@pytest.mark.usefixtures("permitted")
def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    httpserver: HTTPServer, names: dict[str, list[str]]
) -> None:
    names["two.example.com"] = ["192.0.1.7", "127.0.0.1"]  # the first is out of reach
    httpserver.expect_request("/").respond_with_data("here")

    assert isinstance(get(f"http://two.example.com:{httpserver.port}/"), Reply)


@pytest.mark.usefixtures("permitted")
@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "/elsewhere"])
def test_redirects_are_not_followed(httpserver: HTTPServer, target: str, connected: list[str]) -> None:
    httpserver.expect_request("/").respond_with_data("", 302, {"Location": target})

    reply = get(served(httpserver))

    assert isinstance(reply, Reply)
    assert reply.status == 302
    assert len(httpserver.log) == len(connected) == 1


@pytest.mark.usefixtures("permitted")
def test_no_proxy_of_the_environment_is_asked(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    public_http._client().close()
    public_http._client.cache_clear()  # a client that is made in this environment
    httpserver.expect_request("/").respond_with_data("here")

    assert isinstance(get(served(httpserver)), Reply)


@pytest.mark.usefixtures("permitted")
def test_nobodys_cookies_are_kept(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", headers={"Set-Cookie": "session=1; Path=/"})

    get(served(httpserver))
    get(served(httpserver))

    assert [request.headers.get("Cookie") for request, _ in httpserver.log] == [None, None]


@pytest.mark.usefixtures("permitted")
def test_of_an_endless_answer_the_beginning_is_read(httpserver: HTTPServer) -> None:
    def endless(request: Request) -> Response:
        def more() -> Iterator[bytes]:
            while True:
                yield b"x" * 65_536

        return Response(more(), 200)

    httpserver.expect_request("/").respond_with_handler(endless)

    reply = get(served(httpserver))

    assert isinstance(reply, Reply)
    assert len(reply.body) == public_http.ANSWER_MAX_BYTES


def _served(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one connection, by its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@dataclass
class Dripping:
    """A server that answers drop by drop, for a minute or until who asked hangs up."""

    head: bytes
    url: str = ""
    hung_up: threading.Event = field(default_factory=threading.Event)

    def answer(self, connection: socket.socket) -> None:
        connection.sendall(self.head)
        connection.settimeout(0.05)
        for _ in range(1_200):
            try:
                connection.sendall(b"x")
                if connection.recv(65_536):
                    continue
            except TimeoutError:
                continue
            except OSError:
                pass
            self.hung_up.set()
            return


def _dripping(head: bytes) -> Iterator[Dripping]:
    server = Dripping(head)
    for port in _served(server.answer):
        server.url = f"http://127.0.0.1:{port}/"
        yield server


@pytest.fixture
def dripping_head() -> Iterator[Dripping]:
    yield from _dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ")


@pytest.fixture
def dripping_body() -> Iterator[Dripping]:
    yield from _dripping(b"HTTP/1.1 201 Created\r\nContent-Length: 10000\r\n\r\n")


@pytest.mark.usefixtures("permitted")
def test_a_head_that_drips_has_timed_out(dripping_head: Dripping) -> None:
    assert get(dripping_head.url, seconds=0.5) == Silence("ReadTimeout")
    assert dripping_head.hung_up.wait(20)


@pytest.mark.usefixtures("permitted")
def test_a_body_that_drips_takes_the_answer_not_back(dripping_body: Dripping) -> None:
    reply = get(dripping_body.url, seconds=0.5)

    assert isinstance(reply, Reply)
    assert reply.status == 201
    assert dripping_body.hung_up.wait(20)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://example.com/", "http://", "http://[::1", "http://\x00/", "http://a b/"]
)
def test_what_is_no_address_is_silence(url: str) -> None:
    assert isinstance(get(url), Silence)
