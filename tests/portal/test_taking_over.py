"""One web server takes over from another: no caller is refused, and none is left without an answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from common import env
from tests.log_lines import events

# Says its number to every caller; the file tells how many were started, and which of them never answers.
WEB = """
import os, pathlib, signal, socket, sys
notes, broken = pathlib.Path(sys.argv[1]), sys.argv[2]
listener, ready = socket.socket(fileno=int(sys.argv[3])), int(sys.argv[4])
notes.open("a").write("started\\n")
number = len(notes.read_text().split())
if str(number) == broken:
    sys.exit(3)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it ends between two callers, never within one
listener.settimeout(0.1)
os.write(ready, b".")
while signal.SIGTERM not in signal.sigpending():
    try:
        caller = listener.accept()[0]
    except TimeoutError:
        continue
    with caller:
        caller.recv(1000)
        caller.sendall(f"HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nConnection: close\\r\\n\\r\\n{number}".encode())
"""
KEEPER = """
import signal, socket, sys
from portal import logs
from portal.serve import Server
logs.begin_service(logs.configuration("INFO"))
server = Server(socket.socket(fileno=int(sys.argv[1])), [sys.executable, "-c", *sys.argv[2:]])
signal.signal(signal.SIGTERM, server.stop)
signal.signal(signal.SIGHUP, server.renew)
sys.exit(server.run())
"""

Keep = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def keep(tmp_path: Path, listener: socket.socket) -> Iterator[Keep]:
    """Starts the process that keeps a web server going; ``broken`` is the number of one that cannot start."""
    started = []

    def start(broken: int = 0) -> subprocess.Popen[str]:
        arguments = [str(listener.fileno()), WEB, str(tmp_path / "notes"), str(broken)]
        process = subprocess.Popen(
            [sys.executable, "-c", KEEPER, *arguments],
            cwd=env.ROOT,
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert answer(listener) == "1"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def answer(listener: socket.socket) -> str:
    """Which web server answers."""
    return httpx.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=30).text


def wait_for(listener: socket.socket, number: str) -> None:
    deadline = time.monotonic() + 60
    while answer(listener) != number:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_another_web_server_takes_over_when_asked(listener: socket.socket, keep: Keep) -> None:
    process = keep()

    for following in ("2", "3"):
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert events(process.stderr.readline()) == ["A new web server has taken over."]
        wait_for(listener, following)
    process.terminate()

    assert events(process.communicate(timeout=60)[1]) == []
    assert process.returncode == 0


def test_one_that_cannot_start_leaves_the_one_before_in_place(listener: socket.socket, keep: Keep) -> None:
    process = keep(broken=2)

    process.send_signal(signal.SIGHUP)
    assert process.stderr is not None
    assert events(process.stderr.readline()) == ["The new web server did not start: the one before stays."]

    assert answer(listener) == "1"
    process.send_signal(signal.SIGHUP)
    wait_for(listener, "3")


def test_a_web_server_that_ends_by_itself_ends_the_whole(listener: socket.socket, keep: Keep) -> None:
    process = keep()

    subprocess.run(["pkill", "--signal", "KILL", "--parent", str(process.pid)], check=True)

    assert process.wait(timeout=60) == -signal.SIGKILL % 256


def test_systemd_may_hand_over_the_socket(listener: socket.socket) -> None:
    told = "from portal.ports import open_listener; print(open_listener(10).getsockname()[1])"
    script = f"import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid()); {told}"
    done = subprocess.run(
        [sys.executable, "-c", script, str(listener.fileno())],
        cwd=env.ROOT,
        env={**os.environ, "LISTEN_FDS": "1"},
        pass_fds=[listener.fileno()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{listener.getsockname()[1]}\n"
