"""The production server: ``python -m portal.serve``, until SIGTERM or ctrl-C."""

from __future__ import annotations

import gc
import logging
import signal
from types import SimpleNamespace
from typing import Any

import granian.wsgi
from granian import Granian
from granian.constants import Interfaces

from portal import settings
from portal.ports import check_port_is_free


def main() -> None:
    """Serve the portal as the settings say."""
    check_port_is_free()
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

    _keep_environment_out_of_requests()
    # What is loaded now stays: the garbage collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    return application


def _keep_environment_out_of_requests() -> None:
    """Granian starts each request's variables with a copy of the process's, all its secrets among them.

    They would stand in whatever shows a request, and a variable named HTTP_… would pass for a header. It reads them
    once, when a worker starts.
    """
    granian.wsgi.os = SimpleNamespace(environ={})  # type: ignore[assignment,attr-defined]  # the module's name for it


if __name__ == "__main__":
    main()
