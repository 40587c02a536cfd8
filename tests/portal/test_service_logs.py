"""All that a service writes while it runs is a line of the log: JSON, whoever says it."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from common import env
from common.telling import tell
from portal import logs, web
from tests.instance import Instance, free_port
from tests.log_lines import events, parse
from tests.told_to_sentry import Ingest

RUN = [sys.executable, "-m", "portal.run"]
BEAT = [sys.executable, "-m", "celery", "--app", "portal", "beat", "--loglevel", "INFO"]


@pytest.fixture
def instance(tmp_path: Path, httpserver: HTTPServer) -> Iterator[Instance]:
    """An instance without a schema, so that every task and page fails; errors are told to what stands in for Sentry."""
    dsn = Ingest(httpserver).dsn
    database = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    options: dict[str, Any] = {
        "DATABASE_URL": database,
        "SANDBOX_PORT": free_port(),
        "SENTRY_DSN": dsn,
        "PYTHONWARNINGS": "default",
    }
    with Instance(tmp_path, "", **options, SENTRY_ENVIRONMENT="tests", SENTRY_RELEASE="abc123") as instance:
        yield instance


def wait_until(condition: Callable[[], Any], failing: Callable[[], str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, failing()
        time.sleep(0.1)


def whole_log(instance: Instance, name: str) -> str:
    return (instance.folder / f"{name}.log").read_text("utf-8")


def has_failed_task(instance: Instance) -> bool:
    return "celery.app.trace" in whole_log(instance, "run")


def test_each_line_of_every_service_is_json_and_each_error_reaches_sentry(
    instance: Instance, httpserver: HTTPServer
) -> None:
    """`portal.run` with sandbox, web server, worker and scheduler, and a scheduler by itself; all asked to stop."""
    ingest = Ingest(httpserver)
    instance._start("run", RUN)
    instance._start("beat", BEAT)
    # The scheduler, forked from the worker, sends a task after five seconds.
    wait_until(lambda: has_failed_task(instance), lambda: instance.log("run"))
    wait_until(lambda: whole_log(instance, "beat"), lambda: instance.log("beat"))
    assert httpx.get(f"{instance.url}/auth/login/?token=secret-token").status_code == 500
    # From a web server's worker, which was forked, and from a thread of the other worker.
    wait_until(lambda: {"portal.rsgi", "celery.app.trace"} <= ingest.loggers(), lambda: instance.log("run"))
    assert instance.stop("beat") == 0
    assert instance.stop("run") == 0

    said = parse(whole_log(instance, "run"))
    assert any(line["event"] == "worker: Warm shutdown (MainProcess)" for line in said)
    assert any(line["event"].startswith("Publishing to the built-in sandbox at ") for line in said)
    assert any(line["event"].startswith("The sandbox of the Graph API is at ") for line in said)
    [report] = next(line["exception"] for line in said if line["logger"] == "celery.app.trace")[-1:]
    assert report["type"] == "OperationalError"
    assert events(whole_log(instance, "beat"))

    page = ingest.of("portal.rsgi")[0]
    assert (page["environment"], page["release"]) == ("tests", "abc123")
    assert ingest.of("celery.app.trace")[0]["transaction"].startswith("events.tasks.")
    assert "secret-token" not in ingest.text() + whole_log(instance, "run")


REFUSED = [sys.executable, "-c", "from portal import settings"]


def test_what_keeps_a_process_from_starting_is_a_line() -> None:
    done = subprocess.run(
        REFUSED, cwd=env.ROOT, env={**os.environ, "DEBUG": "maybe"}, capture_output=True, text=True, check=False
    )

    [line] = parse(done.stderr)
    assert (done.returncode, line["level"]) == (1, "critical")
    assert line["event"] == "portal cannot start: DEBUG must be true or false."


def test_on_a_terminal_it_is_a_sentence() -> None:
    master, terminal = pty.openpty()
    done = subprocess.run(
        REFUSED, cwd=env.ROOT, env={**os.environ, "DEBUG": "maybe"}, stderr=terminal, stdout=terminal, check=False
    )
    os.close(terminal)

    assert done.returncode == 1
    assert os.read(master, 1_000) == b"portal cannot start: DEBUG must be true or false.\r\n"
    os.close(master)


def test_what_is_for_a_person_is_text_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("portal.test")
    caplog.set_level("INFO")
    tell(logger, "Ready: open %s/.", "http://localhost")
    assert (capsys.readouterr().out, caplog.messages) == ("", ["Ready: open http://localhost/."])

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    tell(logger, "Ready: open %s/.", "http://localhost")
    assert capsys.readouterr().out == "Ready: open http://localhost/.\n"
    assert len(caplog.messages) == 1


UNCAUGHT = """
import logging, threading, warnings
from portal import logs
logs.begin_service(logs.configuration("INFO"))
def fail():
    raise ValueError("a secret")
class Closed:
    def __del__(self):
        fail()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Closed()
warnings.warn("It is old.")
fail()
"""


def test_what_nobody_catches_is_a_line_without_what_it_quotes() -> None:
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], cwd=env.ROOT, capture_output=True, text=True, check=False)

    lines = parse(done.stderr)
    assert (done.returncode, done.stdout) == (1, "")
    assert [line["logger"] for line in lines] == ["portal.logs", "portal.logs", "py.warnings", "portal.logs"]
    assert {line["exception"][0]["type"] for line in lines if "exception" in line} == {"ValueError"}
    assert "a secret" not in done.stderr


def test_a_worker_of_the_web_server_that_cannot_load_says_why_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(ready: int) -> None:
        raise ImportError("No module named 'x'")

    monkeypatch.setattr(web, "_load", fail)
    with pytest.raises(SystemExit):
        web._load_application("", ready=0)

    [record] = caplog.records
    assert (record.levelname, record.name) == ("CRITICAL", "portal.web")
    assert record.exc_info


@pytest.mark.parametrize(
    ("logger", "said", "told"),
    [
        ("asyncio", "Future exception was never retrieved\nfuture: <Future exception=E('secret')>", "Future exception"),
        ("asyncio", "Exception in callback answer('secret')", "Exception in callback answer"),
        ("celery.worker", "Unrecoverable error: ValueError('secret')", "Unrecoverable error"),
    ],
)
def test_libraries_that_quote_an_error_do_not(logger: str, said: str, told: str) -> None:
    record = logging.LogRecord(logger, logging.ERROR, "", 1, said, (), (ValueError, ValueError("secret"), None))

    line = json.loads(logs.json_formatter().format(record))

    assert line["event"].startswith(told)
    assert "secret" not in json.dumps(line)
