"""What Sentry is told of an error: its places in the code, and nothing of what was at hand when it happened."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
import sentry_sdk.transport
from django.test import Client
from pytest_httpserver import HTTPServer

from common import env
from common.background import Background
from common.graphql.errors import report
from events import tasks
from events.models import OutboxRow
from pixels.models import Pixel
from portal import sentry
from tests.events.sending import purchase
from tests.factories import PixelFactory
from tests.rsgi import Answer, ask
from tests.told_to_sentry import Ingest

MAIL, PASSWORD, TOKEN, ADDRESS = "ada@shoes.example", "her-password", "EAAsecret", "203.0.113.77"
COOKIE, QUERY, BROWSER, PHONE = "secret-cookie", "secret-query", "SecretBrowser/1.0", "+15550100999"
SECRETS = (MAIL, PASSWORD, TOKEN, ADDRESS, COOKIE, QUERY, BROWSER, PHONE)
HEADERS = [
    ("Authorization", f"Bearer {TOKEN}"),
    ("Cookie", f"sessionid={COOKIE}"),
    ("User-Agent", BROWSER),
    ("Host", "localhost"),
]


def fail(*args: Any, **options: Any) -> NoReturn:
    """An error that quotes all that it knows, as do its cause and its variables."""
    known = " ".join(SECRETS)
    try:
        raise RuntimeError(known)
    except RuntimeError as error:
        raise ValueError(known) from error


@contextmanager
def told_to(dsn: str) -> Iterator[sentry.Handler]:
    handler = sentry.Handler(dsn=dsn, environment="tests", release="abc123")
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.fixture
def told(httpserver: HTTPServer) -> Iterator[Callable[[], dict[str, Any]]]:
    """The one event that has arrived, once all are sent; in no envelope stands a secret."""
    ingest = Ingest(httpserver)
    with told_to(ingest.dsn) as handler:

        def arrived() -> dict[str, Any]:
            handler._client().flush(timeout=20)
            assert not [secret for secret in SECRETS if secret in ingest.text()]
            [event] = ingest.events()
            return event

        yield arrived


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def post_event(pixel: Pixel) -> Answer:
    user = {"em": MAIL, "ph": PHONE, "client_ip_address": ADDRESS, "client_user_agent": BROWSER}
    body = json.dumps({"data": [purchase(user_data=user)], "access_token": TOKEN}).encode()
    target = f"/capi/{pixel.pixel_id}/events?{QUERY}"
    return ask("POST", target, body, [*HEADERS, ("Content-Type", "application/json")], client=f"{ADDRESS}:5000")


def assert_place(event: dict[str, Any]) -> None:
    """The error and its cause, with the place in our code where it was raised."""
    cause, error = event["exception"]["values"][-2:]
    assert (cause["type"], error["type"]) == ("RuntimeError", "ValueError")
    assert {cause["value"], error["value"]} == {"(left out)"}
    frame = error["stacktrace"]["frames"][-1]
    assert (frame["filename"], frame["function"], frame["in_app"]) == ("tests/portal/test_sentry.py", "fail", True)
    assert frame.keys() <= {"filename", "abs_path", "lineno", "function", "in_app"}


@pytest.mark.django_db
def test_of_a_page_the_route_is_told(told: Callable[[], dict[str, Any]]) -> None:
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {TOKEN}", "User-Agent": BROWSER})
    client.cookies["sessionid"] = COOKIE
    with patch("allauth.account.forms.LoginForm.clean", fail):
        form = {"login": MAIL, "password": PASSWORD}
        assert client.post(f"/auth/login/?token={QUERY}", form, REMOTE_ADDR=ADDRESS).status_code == 500

    event = told()
    assert_place(event)
    assert (event["logger"], event["transaction"]) == ("django.request", "auth/login/")
    assert event["logentry"] == {"message": "%s: %s"}
    assert (event["environment"], event["release"], event["level"]) == ("tests", "abc123", "error")
    assert not {"request", "user", "breadcrumbs", "extra", "modules"} & event.keys()


@pytest.mark.django_db
def test_of_an_event_that_arrives_the_id_that_the_sender_reads_is_told(
    told: Callable[[], dict[str, Any]], pixel: Pixel
) -> None:
    with patch("events.intake.receive.parse", fail):
        answer = post_event(pixel)

    assert answer.status == 500
    event = told()
    assert_place(event)
    assert event["tags"]["error_id"] in json.loads(answer.body)["error"]["message"]


@pytest.mark.django_db
def test_of_what_fails_before_a_door_is_found(told: Callable[[], dict[str, Any]], pixel: Pixel) -> None:
    with patch("portal.addresses.answer_together", fail):
        assert post_event(pixel).status == 500

    event = told()
    assert_place(event)
    assert event["logger"] == "portal.rsgi"


def test_of_a_query(told: Callable[[], dict[str, Any]]) -> None:
    try:
        fail()
    except ValueError as error:
        error_id = report(error, ["shop", MAIL])

    event = told()
    assert_place(event)
    assert event["tags"] == {"error_id": error_id}


def test_of_a_task_the_name_is_told(told: Callable[[], dict[str, Any]]) -> None:
    with patch("events.delivery.publishing.drain", fail):
        tasks.drain.apply(args=[TOKEN])

    event = told()
    assert_place(event)
    assert event["transaction"] == "events.tasks.drain"


def test_of_a_thread_that_no_answer_waits_for(told: Callable[[], dict[str, Any]]) -> None:
    work = Background("Mails", threads=1, room=1)
    work.submit(fail)
    assert work.finish(20) == 0

    event = told()
    assert_place(event)
    assert event["logentry"]["message"] == "%s: a piece of work failed."


@pytest.mark.parametrize(
    ("logger", "sentence", "values", "message"),
    [
        ("portal.run", "The %s ended.", ("worker",), "The %s ended."),
        ("portal.serve", "It stays.", (), "It stays."),
        ("asyncio", f"Future exception: {TOKEN}", (), "(left out)"),
        ("django.request", "%s: %s", ("Internal Server Error", f"/auth/{TOKEN}/"), "%s: %s"),
    ],
)
def test_a_sentence_comes_without_its_values(logger: str, sentence: str, values: tuple[str, ...], message: str) -> None:
    record = logging.LogRecord(logger, logging.CRITICAL, "", 1, sentence, values, None)

    assert sentry.event_of(record) == {"level": "fatal", "logger": logger, "logentry": {"message": message}}


def test_warnings_are_not_told(httpserver: HTTPServer) -> None:
    with told_to(Ingest(httpserver).dsn) as handler:
        logging.getLogger("portal.test").warning("It is late.")
        logging.getLogger("urllib3.connectionpool").error("Sentry is away.")
        assert not handler._clients


def test_whoever_logs_an_error_goes_on_where_it_cannot_be_told(caplog: pytest.LogCaptureFixture) -> None:
    with told_to("https://key@sentry.example.com:99999/1"):  # no port, as the library notices
        logging.getLogger("portal.test").error("It failed for %s.", MAIL)

    warning = caplog.records[-1]
    assert (warning.levelname, warning.getMessage()) == ("WARNING", "Sentry could not be told of an error.")


@pytest.mark.django_db
def test_a_sentry_that_hangs_delays_nobody_and_costs_no_event(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and never answers: whoever waited for it would wait for good."""
    monkeypatch.setattr(sentry_sdk.transport.BaseHttpTransport, "TIMEOUT", None)
    silent = socket.create_server(("127.0.0.1", 0))
    with told_to(f"http://key@127.0.0.1:{silent.getsockname()[1]}/1") as handler:
        with patch("events.intake.receive.parse", fail):
            assert {post_event(pixel).status for _ in range(150)} == {500}  # more than may wait
        answer = ask("POST", f"/capi/{pixel.pixel_id}/events", json.dumps({"data": [purchase()]}).encode(), HEADERS)
        assert answer.status == 202
        silent.close()
        handler._client().flush(timeout=60)
    assert OutboxRow.objects.count() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on Unix")
def test_a_forked_process_has_a_connection_of_its_own(httpserver: HTTPServer) -> None:
    ingest = Ingest(httpserver)
    with told_to(ingest.dsn) as handler:
        logging.getLogger("portal.test").error("In the parent.")
        handler._client().flush(timeout=20)
        if not (child := os.fork()):
            logging.getLogger("portal.test").error("In the child.")
            handler._client().flush(timeout=20)
            os._exit(0 if len(handler._clients) == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0

    assert [event["logentry"]["message"] for event in ingest.events()] == ["In the parent.", "In the child."]


@pytest.mark.parametrize("dsn", ["", "https://key@sentry.example.com/1"])
def test_the_library_is_loaded_only_where_a_dsn_is_set(dsn: str) -> None:
    loads = "import sys, django; django.setup(); import portal.rsgi, portal.celery; print('sentry_sdk' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "SENTRY_DSN": dsn}
    done = subprocess.run(
        [sys.executable, "-c", loads], cwd=env.ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{bool(dsn)}\n"
