"""The port that the portal serves on."""

from __future__ import annotations

import os
import socket

from common import env
from portal import settings


def check_port_is_free() -> None:
    """End with a sentence where another process has the port."""
    family = socket.AF_INET6 if ":" in settings.BIND_ADDRESS else socket.AF_INET
    try:
        socket.create_server((settings.BIND_ADDRESS, settings.PORT), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        env.refuse("PORT", f"{settings.PORT} on {settings.BIND_ADDRESS} cannot be used: {reason}.")
