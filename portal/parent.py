"""Processes that must not outlive the one that started them: it would be replaced, and they would hold its port.

A process that we write looks for its parent. One that runs any command, which cannot look, is told by Linux.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

POLL_SECONDS = 0.2

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def be_told_when_parent_ends() -> None:
    """On Linux: get SIGTERM when the parent ends, however it does; whatever command this process runs next."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def stop_with_parent(parent_pid: int, *, within: float) -> None:
    """Once the parent is gone, ask this process to stop; end it if it has not after ``within`` seconds.

    Where the parent has gone already, this process ends here: it has not begun to work.

    To look is all that works on every system, and for every child. Linux can send a signal instead, but then nobody
    ends a process that does not stop.
    """
    if os.getppid() != parent_pid:
        raise SystemExit(1)
    threading.Thread(target=_watch, args=(parent_pid, within), name="parent", daemon=True).start()


def _watch(parent_pid: int, within: float) -> None:
    while os.getppid() == parent_pid:
        time.sleep(POLL_SECONDS)
    if main_thread := threading.main_thread().ident:
        signal.pthread_kill(main_thread, signal.SIGTERM)
    time.sleep(within)
    os.kill(os.getpid(), signal.SIGKILL)
