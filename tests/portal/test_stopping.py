"""The end of a web process, as its callers see it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from portal import stopping


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


def connected(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """A caller's end of a connection, and the server's."""
    caller = socket.create_connection(listener.getsockname(), timeout=5)
    return caller, listener.accept()[0]


def test_connections_at_the_port_are_closed_and_no_others(listener: socket.socket) -> None:
    reader, served = connected(listener)
    with socket.create_server(("127.0.0.1", 0)) as other:
        asked, answering = connected(other)
        with reader, served, asked, answering:
            stopping._close_connections(listener.getsockname()[1])

            assert reader.recv(1) == b""
            answering.sendall(b"a")
            assert asked.recv(1) == b"a"
            for end in connected(listener):
                end.close()


def test_readers_are_cut_off_once_every_request_is_answered(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "READERS_SECONDS", 0.01)
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.01)
    answering = [True]
    reader, served = connected(listener)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        stopping.cut_off_readers(loop, listener.getsockname()[1], lambda: bool(answering))
        await asyncio.sleep(0.1)
        served.sendall(b"a")
        assert reader.recv(1) == b"a"
        answering.clear()
        reader.setblocking(False)
        assert await loop.sock_recv(reader, 1) == b""

    with reader, served:
        asyncio.run(story())
