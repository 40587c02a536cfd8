"""Everything that an instance needs, under one process: ``python -m portal.run``, until SIGTERM or ctrl-C.

The web server and the worker; and the sandbox in place of Meta, unless GRAPH_API_URL is set. Larger installations run
``python -m portal.serve`` and ``celery --app portal worker`` under a manager of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType

from portal import env, settings

#: Longer than a worker takes to finish the request to the Graph API that it has under way.
STOP_SECONDS = 35.0
#: A process that ends sooner than this cannot run here; one that ran longer is started again.
EARLY_SECONDS = 10.0
POLL_SECONDS = 0.2

WEB = [sys.executable, "-m", "portal.serve"]
WORKER = [sys.executable, "-m", "celery", "--app", "portal", "worker", "--beat", "--loglevel", settings.LOG_LEVEL]
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
        process = subprocess.Popen(  # noqa: S603  # the commands are ours
            self.commands[name], cwd=env.ROOT, env=dict(self.environment), start_new_session=True
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


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the instance as the settings say."""
    commands, environment = {"web server": WEB, "worker": WORKER}, {**os.environ}
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
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
