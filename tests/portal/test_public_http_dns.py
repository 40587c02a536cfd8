"""Requests by name, with a real DNS server that answers as its owner likes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import httpcore
import pytest
from dns.resolver import resolve_name

from common import deadlines
from common.public_http import Silence, ask


class NameServer:
    """Answers every name, with TTL 0: the first question by the first of ``answers``, and so on."""

    def __init__(self, questions: socket.socket) -> None:
        self.questions = questions
        self.answers: Iterator[list[str]] = repeat([])
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.asked = 0

    def serve(self) -> None:
        while True:
            wire, sender = self.questions.recvfrom(4_096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            response = dns.message.make_response(query)
            kind = dns.rdatatype.to_text(query.question[0].rdtype)
            if kind == "A":
                self.asked += 1
                if addresses := next(self.answers):
                    response.answer.append(dns.rrset.from_text(query.question[0].name, 0, "IN", kind, *addresses))
            self.goes_on.wait(60)
            self.questions.sendto(response.to_wire(), sender)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as questions:
        questions.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], questions.getsockname()[1]
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        monkeypatch.setattr(dns.resolver, "resolve_name", resolve_name)  # which other tests cannot reach
        server = NameServer(questions)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        server.goes_on.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", questions.getsockname())
        thread.join()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tried: list[str] = []

    def noted(self: Any, host: str, *args: Any, **options: Any) -> Any:
        tried.append(host)
        raise httpcore.ConnectError("noted")

    monkeypatch.setattr(deadlines.DeadlineBackend, "connect_tcp", noted)
    return tried


def test_an_answer_that_changes_between_two_look_ups_changes_nothing(
    name_server: NameServer, connected: list[str]
) -> None:
    name_server.answers = chain([["192.0.1.7"]], repeat(["127.0.0.1"]))

    ask("GET", "http://rebinding.example.com/", {}, seconds=5)

    assert (connected, name_server.asked) == (["192.0.1.7"], 1)
    assert ask("GET", "http://rebinding.example.com/", {}, seconds=5) == Silence("address not permitted")
    assert (connected, name_server.asked) == (["192.0.1.7"], 2)


def test_own_addresses_among_others_are_left_out(name_server: NameServer, connected: list[str]) -> None:
    name_server.answers = repeat(["10.0.0.1", "192.0.1.7", "127.0.0.1"])

    ask("GET", "http://mixed.example.com/", {}, seconds=5)

    assert connected == ["192.0.1.7"]


def test_a_name_without_an_address_is_not_connected_to(name_server: NameServer, connected: list[str]) -> None:
    assert ask("GET", "http://empty.example.com/", {}, seconds=5) == Silence("ConnectError")
    assert connected == []


def test_a_slow_server_takes_no_more_than_the_time(name_server: NameServer, connected: list[str]) -> None:
    name_server.answers = repeat(["192.0.1.7"])
    name_server.goes_on.clear()

    assert ask("GET", "http://slow.example.com/", {}, seconds=0.3) == Silence("ConnectTimeout")
    assert connected == []
