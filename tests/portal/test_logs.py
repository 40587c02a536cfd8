"""What the log holds, and what it must not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from celery.platforms import check_privileges
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory

from accounts.models import User
from portal import celery, logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines that a handler with our formatter has written."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.json_formatter())
    logger = logging.getLogger()
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    structlog.reset_defaults()
    logs.json_formatter()


def test_a_line_is_json_with_time_level_and_logger(lines: Lines) -> None:
    logging.getLogger("portal.test").warning("It is %s", "late")

    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "It is late", "level": "warning", "logger": "portal.test"}


def test_structlog_writes_the_same_form(lines: Lines) -> None:
    structlog.get_logger("portal.test").warning("Published", events=3)

    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "Published", "events": 3, "level": "warning", "logger": "portal.test"}


def test_of_the_extras_only_the_known_are_written(lines: Lines) -> None:
    request = RequestFactory().get("/auth/verify/?token=secret-token", headers={"Authorization": "Bearer secret-token"})

    logging.getLogger("django.request").error(
        "Not Found: /auth/verify/", extra={"request": request, "status_code": 404}
    )

    [line] = lines()
    assert line["status_code"] == 404
    assert "secret-token" not in json.dumps(line)


def test_the_development_server_logs_no_query_string(lines: Lines) -> None:
    logging.getLogger("django.server").error('"%s" %s', "GET /auth/verify/?token=secret-token&et=inv HTTP/1.1", 200)

    [line] = lines()
    assert line["event"] == '"GET /auth/verify/ HTTP/1.1" 200'


@pytest.mark.django_db
def test_an_exception_tells_the_place_and_the_constraint_but_not_the_row(lines: Lines) -> None:
    User.objects.create(email="ada@shoes.example")
    try:
        with transaction.atomic():
            User.objects.create(email="ada@shoes.example")
    except IntegrityError:
        logging.getLogger("portal.test").exception("It failed")

    [line] = lines()
    report = line["exception"][0]
    assert report["type"] == "IntegrityError"
    assert "accounts_user" in report["message"]
    assert any("test_logs.py" in frame for frame in report["frames"])
    assert "ada@shoes.example" not in json.dumps(line)


def test_a_message_that_quotes_what_it_was_given_is_left_out(lines: Lines) -> None:
    try:
        int("secret-token")
    except ValueError:
        logging.getLogger("portal.test").exception("It failed")

    [line] = lines()
    assert line["exception"][0]["type"] == "ValueError"
    assert "secret-token" not in json.dumps(line)


def test_errors_that_cause_each_other_and_go_deep_are_told_within_bounds(lines: Lines) -> None:
    def fall(depth: int) -> None:
        if depth:
            fall(depth - 1)
        raise KeyError("x")

    with pytest.raises(KeyError) as cause:
        fall(200)
    effect = RuntimeError()
    effect.__cause__, cause.value.__cause__ = cause.value, effect
    logging.getLogger("portal.test").error("It failed", exc_info=effect)

    [line] = lines()
    assert [cause["type"] for cause in line["exception"]] == ["RuntimeError", "KeyError"]
    assert len(line["exception"][1]["frames"]) == logs.MOST_FRAMES


def test_nothing_of_django_leaves_by_mail_or_in_another_form() -> None:
    assert logging.getLogger("django").handlers == []
    assert logging.getLogger("django.server").handlers == []


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_a_warning_in_one_line(lines: Lines, client: Client) -> None:
    assert client.get("/auth/login/", headers={"Host": "scanner.example"}).status_code == 400

    said = [line for line in lines() if line["logger"] == "django.security.DisallowedHost"]
    assert [line["level"] for line in said] == ["warning"]
    assert "exception" not in said[0]


def test_a_worker_of_roots_says_so_in_one_line(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    celery._say_less_of_root()
    check_privileges(celery.app.conf.accept_content)
    celery._tell_of_root()

    assert [line["event"] for line in lines()] == [
        "The worker runs as root. A user of its own is safer: docs/production.md."
    ]
    assert not recwarn.list
