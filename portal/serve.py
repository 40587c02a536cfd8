"""The production server: ``python -m portal.serve``, until SIGTERM or ctrl-C."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from portal import env, settings


def main() -> None:
    """Serve the portal as the settings say."""
    _check_port_is_free()
    Granian(
        "portal.wsgi:application",
        interface=Interfaces.WSGI,
        websockets=False,
        address=settings.BIND_ADDRESS,
        port=settings.PORT,
        workers=settings.WEB_WORKERS,
        blocking_threads=settings.WEB_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        # An access log would hold the tokens of invitation links.
        log_access=False,
        log_dictconfig=settings.LOGGING,
    ).serve(target_loader=_load_application)


def _load_application(_target: str) -> Any:
    """Called in each worker, which leaves ctrl-C to its parent.

    A terminal sends it to both. The parent's SIGTERM follows at once, and two signals one upon the other leave
    granian's WSGI worker waiting for a lock that it holds itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    logging.captureWarnings(True)  # as lines of the log, like everything else
    from portal.wsgi import application  # here, since the parent needs no Django

    # What is loaded now stays: the garbage collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    return application


def _check_port_is_free() -> None:
    family = socket.AF_INET6 if ":" in settings.BIND_ADDRESS else socket.AF_INET
    try:
        socket.create_server((settings.BIND_ADDRESS, settings.PORT), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        env.refuse("PORT", f"{settings.PORT} on {settings.BIND_ADDRESS} cannot be used: {reason}.")


if __name__ == "__main__":
    main()
