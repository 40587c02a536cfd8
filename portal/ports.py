"""The ports that the portal serves on; ``python -m portal.ports`` tells whether they are free."""

from __future__ import annotations

import os
import socket

from common import env
from portal import settings

SANDBOX_ADDRESS = "127.0.0.1"
#: The first file that systemd hands over.
_FIRST_GIVEN = 3


def open_listener(backlog: int) -> socket.socket:
    """The socket that callers connect to: systemd's, where a unit of it has one for this process, else a new one.

    ``backlog`` connections may wait to be taken; for systemd's socket, its unit says how many. Ends with a sentence
    where another process has the port.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_GIVEN)
    return _open("PORT", settings.BIND_ADDRESS, settings.PORT, backlog)


def check_ports_are_free() -> None:
    """End with a sentence where another process has the port, or the sandbox's where one is started."""
    _open("PORT", settings.BIND_ADDRESS, settings.PORT).close()
    if not env.is_set("GRAPH_API_URL"):
        _open("SANDBOX_PORT", SANDBOX_ADDRESS, settings.SANDBOX_PORT).close()


def _open(name: str, address: str, port: int, backlog: int | None = None) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=backlog)
    except OSError as error:
        another = f"{name}={port % 65_535 + 1}"
        env.refuse(
            name,
            f"must be another one: start with {another} make run, or write {another} into .env. "
            f"{port} on {address} cannot be used: {os.strerror(error.errno or 0)}.",
        )


if __name__ == "__main__":
    check_ports_are_free()
