"""The production server: ``python -m portal.serve``, until SIGTERM or ctrl-C.

On SIGHUP a second web server starts, with the code and the settings of that moment. Once it can answer, the first one
finishes what it has under way, and ends. Where it cannot start, the first one stays. Both take connections from one
socket, which this process keeps open: no caller is refused.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess  # nosec B404  # the command is ours
import sys
import time
from dataclasses import dataclass
from types import FrameType

from common import env
from portal import logs, settings
from portal.parent import be_told_when_parent_ends
from portal.ports import open_listener

# Under its name for the world: as a program, it is called __main__.
logger = logging.getLogger("portal.serve")

#: A web server that is asked to stop has this long for the requests under way.
STOP_SECONDS = 15
#: A web server that is not ready by then cannot run here.
START_SECONDS = 60.0
#: What a web server needs to end beside the time that it gives its requests.
END_SECONDS = 5.0
POLL_SECONDS = 0.1


@dataclass
class WebServer:
    """A process that serves; ``ready`` is the end of a pipe that has a byte to read once it can answer."""

    process: subprocess.Popen[bytes]
    ready: int
    #: When it is killed if it has not ended, once it has been asked to: seconds of the monotonic clock.
    deadline: float = 0.0

    def is_ready(self) -> bool:
        """Can it answer?"""
        return bool(select.select([self.ready], [], [], 0)[0])

    def stop(self) -> None:
        """Ask it to end."""
        self.process.terminate()
        self.deadline = time.monotonic() + STOP_SECONDS + END_SECONDS

    def has_ended(self) -> bool:
        """Is it gone? It is killed after its deadline."""
        if self.process.poll() is None and time.monotonic() < self.deadline:
            return False
        self.kill()
        return True

    def kill(self) -> None:
        """End it at once. Its workers look for it, and follow."""
        self.process.kill()
        self.process.wait()
        os.close(self.ready)


class Server:
    """Keeps one web server going on the socket, and hands over to another one when asked."""

    def __init__(self, listener: socket.socket, command: list[str] | None = None) -> None:
        self._listener = listener
        self._command = command or [sys.executable, "-m", "portal.web"]
        self._leaving: list[WebServer] = []
        # Plain flags: an Event's lock could be held by the very code that the signal interrupts.
        self._stopping = False
        self._renewing = False

    def run(self) -> int:
        """Serve until ``stop``: 0; or until the web server ends by itself: its exit code."""
        serving = self._start()
        while not self._stopping and serving.process.poll() is None:
            if self._renewing:
                self._renewing = False
                serving = self._hand_over(serving)
            self._look_after_leaving()
            time.sleep(POLL_SECONDS)
        code = 0 if self._stopping else serving.process.wait()
        self._leave(serving)
        while self._leaving:
            self._look_after_leaving()
            time.sleep(POLL_SECONDS)
        return code

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Finish what is under way, and end (a signal handler)."""
        self._stopping = True

    def renew(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Let a new web server take over (a signal handler)."""
        self._renewing = True

    def _start(self) -> WebServer:
        ready, tell = os.pipe()
        try:
            process = subprocess.Popen(  # noqa: S603  # nosec B603  # the command is ours
                [*self._command, str(self._listener.fileno()), str(tell)],
                cwd=env.ROOT,
                env=env.STARTED_WITH,
                pass_fds=(self._listener.fileno(), tell),
                preexec_fn=be_told_when_parent_ends,  # noqa: PLW1509  # one call into the C library, which was loaded before
            )
        finally:
            os.close(tell)
        return WebServer(process, ready)

    def _hand_over(self, serving: WebServer) -> WebServer:
        """The one that serves from now on."""
        try:
            following = self._start()
        except OSError as error:
            logger.error("No new web server could be started (%s): the one before stays.", error)
            return serving
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping and following.process.poll() is None and time.monotonic() < deadline:
            if following.is_ready():
                logger.info("A new web server has taken over.")
                self._leave(serving)
                return following
            time.sleep(POLL_SECONDS)
        following.kill()
        logger.error("The new web server did not start: the one before stays.")
        return serving

    def _look_after_leaving(self) -> None:
        self._leaving = [server for server in self._leaving if not server.has_ended()]

    def _leave(self, server: WebServer) -> None:
        server.stop()
        self._leaving.append(server)


def main() -> int:
    """Serve the portal as the settings say."""
    server = Server(open_listener(backlog=settings.WEB_CONNECTIONS))
    logs.begin_service(settings.LOGGING)
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    signal.signal(signal.SIGHUP, server.renew)
    return server.run()


if __name__ == "__main__":
    sys.exit(main())
