"""The production server: ``python -m portal.serve``, until SIGTERM or ctrl-C."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import signal
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import granian.wsgi
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from portal import settings
from portal.parent import stop_with_parent
from portal.ports import check_port_is_free

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: A thread without work ends, and a connection without use is closed, after this long.
IDLE_SECONDS = 30
#: A worker that is asked to stop has this long for the requests under way.
STOP_SECONDS = 15


def main(idle_seconds: int = IDLE_SECONDS) -> None:
    """Serve the portal as the settings say; threads and connections that are idle end after ``idle_seconds``."""
    check_port_is_free()
    Granian(
        "portal.wsgi:application",
        interface=Interfaces.WSGI,
        # A proxy in front speaks HTTP/2 with browsers. Without TLS nobody does, and one connection could bring
        # hundreds of requests that never end.
        http=HTTPModes.http1,
        websockets=False,
        address=settings.BIND_ADDRESS,
        port=settings.PORT,
        workers=settings.WEB_WORKERS,
        blocking_threads=settings.WEB_THREADS,
        blocking_threads_idle_timeout=idle_seconds,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # An access log would hold the tokens of invitation links.
        log_access=False,
        log_dictconfig=settings.LOGGING,
    ).serve(target_loader=partial(_load_application, idle_seconds=idle_seconds))


def _load_application(_target: str, *, idle_seconds: float) -> WSGIApplication:
    """Called in each worker, which leaves ctrl-C to its parent, and ends with it.

    A terminal sends ctrl-C to both. The parent's SIGTERM follows at once, and two signals one upon the other leave
    granian's WSGI worker waiting for a lock that it holds itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    logging.captureWarnings(True)  # as lines of the log, like everything else
    # Here, since the parent needs no Django.
    from common.lending import Lender
    from common.wsgi import with_lent_connections
    from portal.warm_up import load_before_serving
    from portal.wsgi import application

    load_before_serving()
    _keep_environment_out_of_requests()
    # What is loaded now stays: the garbage collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    # A body may hold hundreds of thousands of lists: by default it would look at all of them again at every 700.
    gc.set_threshold(10_000, 20, 50)
    lender = Lender(idle_seconds)
    lender.close_idle_from_now_on()
    # As late as this: it may send this process SIGTERM, and granian acts on that only once the worker has loaded.
    if (parent := multiprocessing.parent_process()) and parent.pid:
        stop_with_parent(parent.pid, within=STOP_SECONDS)
    return with_lent_connections(application, lender)


def _keep_environment_out_of_requests() -> None:
    """Granian starts each request's variables with a copy of the process's, all its secrets among them.

    They would stand in whatever shows a request, and a variable named HTTP_… would pass for a header. It reads them
    once, when a worker starts.
    """
    granian.wsgi.os = SimpleNamespace(environ={})  # type: ignore[assignment,attr-defined]  # the module's name for it


if __name__ == "__main__":
    main()
