"""Everything that an instance needs, under one process: ``python -m portal.run``, until SIGTERM or ctrl-C.

The web server and the worker, or several (WORKER_PROCESSES); and the sandbox in place of Meta, unless GRAPH_API_URL is
set. Larger installations run
``python -m portal.serve`` and ``celery --app portal worker`` under a manager of their own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess  # nosec B404  # the commands are ours
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType

import httpx

from portal import env, settings
from portal.ports import check_port_is_free

#: Longer than a worker takes to finish the request to the Graph API that it has under way, and to settle it.
STOP_SECONDS = 25.0 + settings.PUBLISH_TIMEOUT_SECONDS
#: A process that ends sooner than this cannot run here; one that ran longer is started again.
EARLY_SECONDS = 10.0
POLL_SECONDS = 0.2

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

WEB = [sys.executable, "-m", "portal.serve"]
# Quiet: without its banner; the log tells the same.
_CELERY = [sys.executable, "-m", "celery", "--app", "portal", "--quiet"]
FURTHER_WORKER = [*_CELERY, "worker", "--loglevel", settings.LOG_LEVEL]
#: One worker has the scheduler.
WORKER = [*FURTHER_WORKER, "--beat"]
SANDBOX = [sys.executable, "manage.py", "graph_sandbox", "--port", str(settings.SANDBOX_PORT)]


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
        self.commands = commands
        self.environment = environment
        self.early_seconds = early_seconds
        self.stop_seconds = stop_seconds
        # A plain flag: an Event's lock could be held by the very code that the signal interrupts.
        self.stopping = False
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}

    def run(self) -> int:
        """Run until ``stop``: 0. Where a command ends right after its start, stop the others: 1."""
        failed = ""
        try:
            for name in self.commands:
                self._start(name)
            while not failed and not self.stopping:
                time.sleep(POLL_SECONDS)
                failed = self._restart_ended()
        finally:
            self._stop_all()
        return 1 if failed else 0

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask all to stop and finish what they have under way (a signal handler); asked twice, end them at once."""
        if self.stopping:
            self.stop_seconds = 0.0
        self.stopping = True

    def _start(self, name: str) -> None:
        # In a session of its own: ctrl-C in the terminal reaches this process alone, which tells the others once.
        process = subprocess.Popen(  # noqa: S603  # nosec B603  # the commands are ours
            self.commands[name],
            cwd=env.ROOT,
            env=dict(self.environment),
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # one call into the C library, which was loaded before
        )
        self._running[name] = process, time.monotonic()

    def _restart_ended(self) -> str:
        """Start again what has ended; the name of what cannot run, if any."""
        for name, (process, started) in list(self._running.items()):
            if process.poll() is None:
                continue
            # What it leaves behind would hold its port, or its claims.
            _signal_group(process, signal.SIGKILL)
            if time.monotonic() - started < self.early_seconds:
                _say(f"The {name} ended right after its start ({process.returncode}): stopping.")
                return name
            _say(f"The {name} ended ({process.returncode}): starting it again.")
            self._start(name)
        return ""

    def _stop_all(self) -> None:
        for process, _ in self._running.values():
            if process.poll() is None:
                process.terminate()
        begun = time.monotonic()
        while any(process.poll() is None for process, _ in self._running.values()):
            if time.monotonic() - begun > self.stop_seconds:
                break
            time.sleep(0.05)
        for process, _ in self._running.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _end_with_parent() -> None:
    """On Linux: be told to stop when this process is killed, which then cannot tell."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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
    _say(f"Ready: open {settings.BASE_URL}/ in a browser. ctrl-C stops the portal.")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the instance as the settings say."""
    check_port_is_free()  # before anything starts: whoever has it would answer for us that we are ready
    commands, environment = {"web server": WEB, "worker": WORKER}, {**os.environ}
    commands |= {f"worker {number}": FURTHER_WORKER for number in range(2, settings.WORKER_PROCESSES + 1)}
    if env.is_set("GRAPH_API_URL"):
        _say(f"Publishing to {settings.GRAPH_API_URL}.")
    else:
        url = f"http://127.0.0.1:{settings.SANDBOX_PORT}"
        commands = {"sandbox": SANDBOX, **commands}
        environment["GRAPH_API_URL"] = url
        _say(
            f"Publishing to the built-in sandbox at {url}, not to Meta;"
            " set GRAPH_API_URL=https://graph.facebook.com to go live."
        )
    supervisor = Supervisor(commands, environment)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    threading.Thread(target=say_when_ready, daemon=True).start()
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
