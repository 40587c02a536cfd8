"""The ports that the portal serves on; ``python -m portal.ports`` tells whether they are free."""

from __future__ import annotations

import os
import socket

from common import env
from portal import settings

SANDBOX_ADDRESS = "127.0.0.1"


def check_port_is_free() -> None:
    """End with a sentence where another process has the port."""
    _check("PORT", settings.BIND_ADDRESS, settings.PORT)


def check_ports_are_free() -> None:
    """The same for the port, and for the sandbox's where one is started."""
    check_port_is_free()
    if not env.is_set("GRAPH_API_URL"):
        _check("SANDBOX_PORT", SANDBOX_ADDRESS, settings.SANDBOX_PORT)


def _check(name: str, address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as error:
        another = f"{name}={port % 65_535 + 1}"
        env.refuse(
            name,
            f"must be another one: start with {another} make run, or write {another} into .env. "
            f"{port} on {address} cannot be used: {os.strerror(error.errno or 0)}.",
        )


if __name__ == "__main__":
    check_ports_are_free()
