"""The process manager behind `make run`: all start, all stop, and none is missed for long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from common import env
from portal import settings
from portal.run import STOP_SECONDS, Supervisor, say_when_ready
from tests.instance import free_port
from tests.log_lines import events

# Runs for a while, fails at once the next two times, and then runs.
FLAKY = """
import pathlib, sys, time
notes = pathlib.Path(sys.argv[1])
notes.open("a").write("started\\n")
starts = len(notes.read_text().split())
if starts == 1:
    time.sleep(float(sys.argv[2]))
elif starts == 4:
    time.sleep(60)
sys.exit(3)
"""
# Notes its start in a file, and on SIGTERM that it ended well.
CHILD = """
import os, pathlib, signal, sys, time
notes = pathlib.Path(sys.argv[1])
notes.with_suffix(".pid").write_text(str(os.getpid()))
def end(*_):
    notes.open("a").write("ended\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
notes.open("a").write("started\\n")
time.sleep(60)
"""
MANAGER = """
import json, os, signal, sys
from portal import logs
from portal.run import Supervisor
logs.begin_service(logs.configuration("INFO"))
commands = json.loads(sys.argv[1])
supervisor = Supervisor(commands, os.environ, early_seconds=float(sys.argv[2]), stop_seconds=20)
signal.signal(signal.SIGTERM, supervisor.stop)
signal.signal(signal.SIGINT, supervisor.stop)
signal.signal(signal.SIGHUP, supervisor.renew)
sys.exit(supervisor.run())
"""


@pytest.fixture
def manage(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a manager of children that take notes; it ends with the test."""

    def start(*names: str, early_seconds: float = 0.0, broken: str = "", flaky: str = "") -> subprocess.Popen[str]:
        commands = {name: [sys.executable, "-c", CHILD, str(tmp_path / name)] for name in names}
        if broken:
            commands[broken] = [sys.executable, "-c", "raise SystemExit(3)"]
        if flaky:
            commands[flaky] = [sys.executable, "-c", FLAKY, str(tmp_path / flaky), str(early_seconds + 0.5)]
        return subprocess.Popen(
            [sys.executable, "-c", MANAGER, json.dumps(commands), str(early_seconds)],
            cwd=env.ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def wait_for(file: Path, lines: list[str]) -> None:
    """Wait until the child has noted just this."""
    deadline = time.monotonic() + 60
    while (file.read_text().split() if file.exists() else []) != lines:
        assert time.monotonic() < deadline, f"{file.name} has not noted {lines}"
        time.sleep(0.05)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_stops_all_and_ends_well(
    tmp_path: Path, manage: Callable[..., subprocess.Popen[str]], asked: signal.Signals
) -> None:
    manager = manage("web", "worker")
    wait_for(tmp_path / "web", ["started"])
    wait_for(tmp_path / "worker", ["started"])

    manager.send_signal(asked)

    assert manager.communicate(timeout=60)[1] == ""
    assert manager.returncode == 0
    wait_for(tmp_path / "web", ["started", "ended"])
    wait_for(tmp_path / "worker", ["started", "ended"])


def test_a_process_that_is_killed_is_started_again(
    tmp_path: Path, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    manager = manage("worker")
    wait_for(tmp_path / "worker", ["started"])

    os.kill(int((tmp_path / "worker.pid").read_text()), signal.SIGKILL)

    wait_for(tmp_path / "worker", ["started", "started"])
    manager.terminate()
    assert events(manager.communicate(timeout=60)[1]) == ["The worker ended (-9): starting it again."]


def test_all_are_renewed_when_asked(tmp_path: Path, manage: Callable[..., subprocess.Popen[str]]) -> None:
    manager = manage("worker")
    wait_for(tmp_path / "worker", ["started"])

    manager.send_signal(signal.SIGHUP)

    wait_for(tmp_path / "worker", ["started", "ended", "started"])
    manager.terminate()
    assert events(manager.communicate(timeout=60)[1]) == ["The worker ended (0): starting it again."]


def test_a_process_that_cannot_start_stops_all_with_a_message(
    tmp_path: Path, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    manager = manage("web", broken="worker", early_seconds=20)

    assert events(manager.communicate(timeout=60)[1]) == ["The worker ended right after its start (3): stopping."]
    assert manager.returncode == 1


def test_one_that_has_run_is_started_again_however_often_it_fails_at_once(
    tmp_path: Path, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    manager = manage("web", early_seconds=4, flaky="worker")  # even a busy machine starts one, and it ends, in less
    wait_for(tmp_path / "worker", ["started"] * 4)  # runs, fails twice at once, and runs
    manager.terminate()

    said = events(manager.communicate(timeout=60)[1])
    assert said == [
        "The worker ended (3): starting it again.",
        "The worker ended (3): starting it again.",
        "The worker ended (3): starting it again in 2 seconds.",
    ]
    assert manager.returncode == 0
    assert (tmp_path / "web").read_text().split() == ["started", "ended"]


def test_what_has_run_and_cannot_be_started_again_is_tried_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its program is away, while it is updated; or the machine has no process left."""
    program, notes, over = tmp_path / "worker", tmp_path / "notes", tmp_path / "over"
    program.write_text(f"#!/bin/sh\necho started >> {notes}\nwhile [ ! -e {over} ]; do sleep 0.05; done\nexit 3\n")
    program.chmod(0o755)
    supervisor = Supervisor({"web": ["sleep", "60"], "worker": [str(program)]}, os.environ, early_seconds=0.5)

    def update() -> None:
        wait_for(notes, ["started"])
        time.sleep(0.7)  # so that it has run
        program.rename(tmp_path / "away")
        over.touch()
        for _ in range(1_000):
            if "The worker could not be started ([Errno 2] No such file or directory" in caplog.text:
                break
            time.sleep(0.05)
        (tmp_path / "away").rename(program)
        wait_for(notes, ["started"] * 2)
        supervisor.stop()

    with ThreadPoolExecutor(1) as pool:
        updated = pool.submit(update)
        assert supervisor.run() == 0
        updated.result(timeout=60)
    assert "The worker could not be started ([Errno 2] No such file or directory" in caplog.text


def test_what_has_never_run_and_cannot_be_started_stops_all(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor({"web": ["sleep", "60"], "worker": ["/nowhere/worker"]}, os.environ)

    assert supervisor.run() == 1
    assert caplog.messages[-1].endswith("/nowhere/worker'): stopping.")


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_is_stopped_from_outside_right_after_its_start_stops_nothing(
    tmp_path: Path, manage: Callable[..., subprocess.Popen[str]], killed: signal.Signals
) -> None:
    manager = manage("worker", early_seconds=60)
    wait_for(tmp_path / "worker", ["started"])

    os.kill(int((tmp_path / "worker.pid").read_text()), killed)

    wait_for(tmp_path / "worker", ["started", *["ended"] * (killed == signal.SIGTERM), "started"])
    manager.terminate()
    manager.communicate(timeout=60)
    assert manager.returncode == 0


def test_it_says_where_to_open_the_portal_once_the_web_server_answers(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_ordered_request("/healthz").respond_with_data("not yet", status=503)
    httpserver.expect_ordered_request("/healthz").respond_with_data("ok")
    monkeypatch.setattr(settings, "BIND_ADDRESS", httpserver.host)
    monkeypatch.setattr(settings, "PORT", httpserver.port)
    monkeypatch.setattr(settings, "BASE_URL", "https://gateway.example.com")

    caplog.set_level("INFO")
    say_when_ready()

    assert "Ready: open https://gateway.example.com/ in a browser. ctrl-C stops the portal." in caplog.messages
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
@pytest.mark.parametrize("module", ["portal.ports", "portal.run"])
def test_where_another_process_has_a_port_it_says_what_to_do_and_nothing_else(
    httpserver: HTTPServer, name: str, module: str
) -> None:
    taken = httpserver.port
    environment = {**os.environ, "PORT": str(free_port()), "GRAPH_API_URL": "", name: str(taken)}
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=env.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    [said] = events(done.stderr)
    assert said.startswith(f"portal cannot start: {name} must be another one: start with {name}={taken + 1} ")
    assert f"{taken} on 127.0.0.1 cannot be used: " in said
    assert httpserver.log == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_children_stop_when_the_manager_is_killed(manage: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    manager = manage("web", "worker")
    wait_for(tmp_path / "web", ["started"])
    wait_for(tmp_path / "worker", ["started"])

    manager.kill()
    manager.communicate(timeout=60)  # until the last of the children has closed it

    wait_for(tmp_path / "web", ["started", "ended"])
    wait_for(tmp_path / "worker", ["started", "ended"])


def test_a_worker_that_is_asked_to_stop_has_the_time_for_its_request() -> None:
    assert STOP_SECONDS > settings.PUBLISH_TIMEOUT_SECONDS + 10
