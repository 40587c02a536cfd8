"""The web server, on a socket that is open already: ``portal.serve`` starts it, and another in its place on SIGHUP."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer, SocketHolder  # type: ignore[attr-defined]  # no public name has it

from portal import logs, settings
from portal.parent import stop_with_parent
from portal.serve import STOP_SECONDS
from portal.tracing import trace_from_now_on

if TYPE_CHECKING:
    from portal.rsgi import Portal

# Under its name for the world: as a program, it is called __main__.
logger = logging.getLogger("portal.web")

#: A database connection without use is closed after this long.
IDLE_SECONDS = 30
#: The head of a request, its cookies too, and what is read of a body at a time.
HEAD_BYTES = 131_072
#: Files that a process has open besides its callers' connections.
OTHER_FILES = 256


def main(listener: socket.socket, ready: int) -> None:
    """Serve the portal as the settings say, until SIGTERM or ctrl-C.

    ``listener`` is the socket that callers connect to. A byte is written to the file descriptor ``ready`` when a worker
    has loaded.
    """
    logs.begin_service(settings.LOGGING)
    connections = _room_for(settings.WEB_CONNECTIONS)
    _Server(
        listener,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        # A proxy in front speaks HTTP/2 with browsers. Without TLS nobody does, and one connection could bring
        # hundreds of requests that never end.
        http=HTTPModes.http1,
        websockets=False,
        # For its log.
        address=settings.BIND_ADDRESS,
        port=settings.PORT,
        workers=settings.WEB_WORKERS,
        # The first bounds the connections of a process, the second those that wait to be taken.
        backpressure=connections,
        backlog=connections,
        # Also ends a connection that says nothing, or nothing more.
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.HEADER_TIMEOUT_SECONDS * 1_000, max_buffer_size=HEAD_BYTES
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # An access log would hold the tokens of invitation links.
        log_access=False,
        log_dictconfig=settings.LOGGING,
    ).serve(target_loader=partial(_load_application, ready=ready))  # type: ignore[arg-type]  # or an object


class _Server(MPServer):
    """Granian, whose workers all take connections from one socket that is open already.

    By itself, granian opens one for each worker on Linux, all at one port. A worker that ends would then refuse the
    connections that wait at its own.
    """

    def __init__(self, listener: socket.socket, *, backlog: int, **options: Any) -> None:
        super().__init__("portal.rsgi:Portal", backlog=backlog, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._shd: Any = SocketHolder(self._listener.fileno(), False, self.backlog)  # type: ignore[call-arg]
        self._sso = self._listener


def _room_for(connections: int) -> int:
    """As many connections as that, if the system lets a process have so many files; else fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else min(connections, max(128, soft - OTHER_FILES))


def _load_application(_target: str, *, ready: int) -> Portal:
    """Called in each worker; what keeps it from loading is a line of the log, where multiprocessing would print."""
    try:
        return _load(ready)
    except Exception:
        logger.critical("The web server's worker cannot load.", exc_info=True)
        raise SystemExit(1) from None


def _load(ready: int) -> Portal:
    """A worker leaves ctrl-C to its parent, and ends with it.

    A terminal sends ctrl-C to both, and the parent's SIGTERM follows at once: one signal is enough.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # What is loading has nothing to lose. The parent's handler, which came with the fork, would ignore it; granian sets
    # one later.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    trace_from_now_on("web")
    # Here, since the parent needs no Django.
    from common.lending import Lender
    from portal.rsgi import Portal
    from portal.shared import refuse_to_start_unshared
    from portal.warm_up import load_before_serving

    refuse_to_start_unshared()
    load_before_serving()
    # What is loaded now stays: the garbage collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    # A body may hold hundreds of thousands of lists: by default it would look at all of them again at every 700.
    gc.set_threshold(10_000, 20, 50)
    lender = Lender(IDLE_SECONDS)
    lender.close_idle_from_now_on()
    # As late as this: it may send this process SIGTERM, and granian acts on that only once the worker has loaded.
    if (parent := multiprocessing.parent_process()) and parent.pid:
        stop_with_parent(parent.pid, within=STOP_SECONDS)
    os.write(ready, b".")
    return Portal(lender)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
