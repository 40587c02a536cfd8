"""Everything that an instance needs, under one process: ``python -m portal.run``, until SIGTERM or ctrl-C.

On SIGHUP all are renewed, with the code and the settings of that moment: the web server hands over to another one,
the others finish what they have under way and start again.

The web server and the worker, or several (WORKER_PROCESSES); and the sandbox in place of Meta, unless GRAPH_API_URL is
set. Larger installations run
``python -m portal.serve`` and ``celery --app portal worker`` under a manager of their own.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess  # nosec B404  # the commands are ours
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

import httpx

from common import env
from common.telling import tell
from portal import logs, settings
from portal.parent import be_told_when_parent_ends
from portal.ports import SANDBOX_ADDRESS, check_ports_are_free

# Under its name for the world: as a program, it is called __main__.
logger = logging.getLogger("portal.run")

#: Longer than a worker takes to finish the request to the Graph API that it has under way, and to settle it.
STOP_SECONDS = 25.0 + settings.PUBLISH_TIMEOUT_SECONDS
#: A process that fails sooner than this, and has never run longer, cannot run here.
EARLY_SECONDS = 10.0
#: One that has run is always started again; where it ends early, after 1, 2, 4 and more seconds.
LONGEST_WAIT = 60.0
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
POLL_SECONDS = 0.2

WEB = [sys.executable, "-m", "portal.serve"]
_CELERY = [sys.executable, "-m", "celery", "--app", "portal"]
FURTHER_WORKER = [*_CELERY, "worker", "--loglevel", settings.LOG_LEVEL]
#: One worker has the scheduler.
WORKER = [*FURTHER_WORKER, "--beat"]
SANDBOX = [sys.executable, "manage.py", "graph_sandbox", "--port", str(settings.SANDBOX_PORT)]


@dataclass
class Child:
    """One of the commands, and the process that runs it now; none while it waits to be started again."""

    command: list[str]
    #: How it is renewed: SIGHUP where it can do that itself, else SIGTERM, since what has ended is started again.
    renewed_by: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    #: Once it has run for a while, the command can run here: whatever ends it passes.
    has_run: bool = False
    #: When to start it again, and how long it waited last.
    due: float = 0.0
    wait: float = 0.0


class Supervisor:
    """Runs commands side by side. Asked to stop, it stops them all; one that ends by itself is started again."""

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        environment: Mapping[str, str],
        *,
        early_seconds: float = EARLY_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.environment = environment
        self.early_seconds = early_seconds
        self.stop_seconds = stop_seconds
        # A plain flag: an Event's lock could be held by the very code that the signal interrupts.
        self.stopping = False
        self._renewing = False
        self._children = {
            name: Child(command, signal.SIGHUP if command == WEB else signal.SIGTERM)
            for name, command in commands.items()
        }

    def run(self) -> int:
        """Run until ``stop``: 0. Where a command fails before it has ever run, stop the others: 1."""
        cannot_run = False
        try:
            cannot_run = not all(self._start(name, child) for name, child in self._children.items())
            while not cannot_run and not self.stopping:
                time.sleep(POLL_SECONDS)
                if self._renewing:
                    self._renewing = False
                    self._renew_all()
                cannot_run = any(self._look_after(name, child) for name, child in self._children.items())
        finally:
            self._stop_all()
        return 1 if cannot_run else 0

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask all to stop and finish what they have under way (a signal handler); asked twice, end them at once."""
        if self.stopping:
            self.stop_seconds = 0.0
        self.stopping = True

    def renew(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Start all with the code and the settings of this moment (a signal handler)."""
        self._renewing = True

    def _renew_all(self) -> None:
        for child in self._children.values():
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.renewed_by)

    def _start(self, name: str, child: Child) -> bool:
        """Start it; False where it cannot run here.

        The machine may have no memory or process left at the moment, or the program be away while it is updated: what
        has run is tried again later.
        """
        try:
            # In a session of its own: ctrl-C in the terminal reaches this process alone, which tells the others once.
            child.process = subprocess.Popen(  # noqa: S603  # nosec B603  # the commands are ours
                child.command,
                cwd=env.ROOT,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=be_told_when_parent_ends,  # noqa: PLW1509  # one call into the C library, which was loaded before
            )
        except (OSError, subprocess.SubprocessError) as error:
            if child.has_run:
                self._put_off(child)
                logger.error("The %s could not be started (%s): trying again in %.0f seconds.", name, error, child.wait)
            else:
                logger.critical("The %s could not be started (%s): stopping.", name, error)
            return child.has_run
        child.started = time.monotonic()
        return True

    def _put_off(self, child: Child) -> None:
        child.wait = min(max(1.0, 2 * child.wait), LONGEST_WAIT)
        child.due = time.monotonic() + child.wait

    def _look_after(self, name: str, child: Child) -> bool:
        """Start it again where it has ended; True where it has failed before it has ever run."""
        now = time.monotonic()
        if child.process is None:
            return now >= child.due and not self._start(name, child)
        lasted = now - child.started >= self.early_seconds
        child.has_run = child.has_run or lasted
        code = child.process.poll()
        if code is None:
            return False
        # What it leaves behind would hold its port, or its claims.
        _signal_group(child.process, signal.SIGKILL)
        child.process = None
        if not child.has_run and _is_failure(code):
            logger.critical("The %s ended right after its start (%d): stopping.", name, code)
            return True
        if lasted:
            child.wait, child.due = 0.0, now
        else:
            self._put_off(child)
        when = f" in {child.wait:.0f} seconds" if child.wait > 1 else ""
        logger.warning("The %s ended (%d): starting it again%s.", name, code, when)
        return False

    def _stop_all(self) -> None:
        processes = [child.process for child in self._children.values() if child.process]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        begun = time.monotonic()
        while any(process.poll() is None for process in processes):
            if time.monotonic() - begun > self.stop_seconds:
                break
            time.sleep(0.05)
        for process in processes:
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _is_failure(code: int) -> bool:
    """Has the process failed by itself? Somebody else may have asked it to stop, or killed it."""
    return code > 0 or -code in _CRASHES


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


def say_when_ready() -> None:
    """Wait until the web server answers, and say where to open it."""
    address = f"[{settings.BIND_ADDRESS}]" if ":" in settings.BIND_ADDRESS else settings.BIND_ADDRESS
    while True:
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://{address}:{settings.PORT}/healthz", timeout=5, trust_env=False).is_success:
                break
        time.sleep(POLL_SECONDS)
    tell(logger, "Ready: open %s/ in a browser. ctrl-C stops the portal.", settings.BASE_URL)


def main() -> int:
    """Run the instance as the settings say."""
    check_ports_are_free()  # before anything starts: whoever has it would answer for us that we are ready
    logs.begin_service(settings.LOGGING)
    commands, environment = {"web server": WEB, "worker": WORKER}, {**env.STARTED_WITH}
    commands |= {f"worker {number}": FURTHER_WORKER for number in range(2, settings.WORKER_PROCESSES + 1)}
    if env.is_set("GRAPH_API_URL"):
        tell(logger, "Publishing to %s.", settings.GRAPH_API_URL)
    else:
        url = f"http://{SANDBOX_ADDRESS}:{settings.SANDBOX_PORT}"
        commands = {"sandbox": SANDBOX, **commands}
        environment["GRAPH_API_URL"] = url
        tell(
            logger,
            "Publishing to the built-in sandbox at %s, not to Meta;"
            " set GRAPH_API_URL=https://graph.facebook.com to go live.",
            url,
        )
    supervisor = Supervisor(commands, environment)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    signal.signal(signal.SIGHUP, supervisor.renew)
    threading.Thread(target=say_when_ready, daemon=True).start()
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
