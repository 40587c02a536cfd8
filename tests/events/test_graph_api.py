"""The Graph API's client: what is sent, and into which class each answer falls."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from events.delivery.graph_api import Accepted, BadToken, GraphAnswer, Problem, Refused, RetryLater, judge, post_events
from events.sandbox import Sandbox
from tests.events.outbox import purchase

TOKEN = "EAA-a-secret-token"


def post(*events: dict[str, Any], options: str = "", token: str = TOKEN) -> GraphAnswer:
    raws = [json.dumps(event).encode() for event in events or (purchase(),)]
    return post_events(pixel_id="17", api_version="v24.0", access_token=token, events=raws, options=options)


def error(code: int, status: int = 400, **fields: Any) -> GraphAnswer:
    body = {"error": {"message": "No.", "type": "OAuthException", "code": code, "fbtrace_id": "T1", **fields}}
    return judge(status, {}, json.dumps(body).encode())


def test_events_go_out_as_they_are_with_token_and_options(sandbox: Sandbox) -> None:
    events = [purchase(custom_data={"value": 1.50, "currency": "EUR", "unknown": ["ü", None]}), purchase()]
    answer = post(*events, options='{"test_event_code":"TEST1","partner_agent":"shop"}')
    assert isinstance(answer, Accepted)
    assert answer.trace_id
    assert sandbox.received == events
    assert sandbox.requests[0].version == "v24.0"
    assert sandbox.requests[0].pixel_id == "17"
    assert sandbox.requests[0].access_token == TOKEN
    assert sandbox.requests[0].options == {"test_event_code": "TEST1", "partner_agent": "shop"}


def test_a_token_of_any_characters_arrives(sandbox: Sandbox) -> None:
    token = 'a "b" \\ ü'
    post(token=token)
    assert sandbox.requests[0].access_token == token


@pytest.mark.parametrize("code", [102, 190])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_token_codes(code: int, status: int) -> None:
    assert error(code, status, error_subcode=463) == BadToken(Problem(code, 463, "No.", "T1"))


@pytest.mark.parametrize("code", [1, 2, 4, 17, 32, 341, 368, 613, 80_000, 80_004, 80_099])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_passing_codes(code: int, status: int) -> None:
    assert error(code, status) == RetryLater(f"code {code}", Problem(code, None, "No.", "T1"))


@pytest.mark.parametrize(("code", "subcode"), [(10, None), (200, None), (299, 5), (803, None), (2500, None), (100, 33)])
def test_a_pixel_that_is_closed_to_the_token_is_no_event_s_fault(code: int, subcode: int | None) -> None:
    assert isinstance(error(code, error_subcode=subcode), RetryLater)


@pytest.mark.parametrize(("code", "subcode"), [(100, None), (100, 2_804_003), (2_804_030, None), (2_804_050, 1)])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_what_blames_an_event_refuses(code: int, subcode: int | None, status: int) -> None:
    answer = error(code, status, error_subcode=subcode, error_user_msg="The time is wrong.")
    assert answer == Refused(Problem(code, subcode, "No. The time is wrong.", "T1"))
    assert answer.problem.name == (f"{code}.{subcode}" if subcode else f"{code}")


@pytest.mark.parametrize(
    ("code", "subcode"), [(3, None), (104, None), (79_999, None), (80_100, 2_804_003), (100, 1_487_694), (-1, None)]
)
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_what_nobody_knows_is_tried_again(code: int, subcode: int | None, status: int) -> None:
    answer = error(code, status, error_subcode=subcode)
    assert isinstance(answer, RetryLater)
    assert answer.problem == Problem(code, subcode, "No.", "T1")


def test_meta_may_say_itself_that_a_fault_will_pass() -> None:
    assert isinstance(error(100, is_transient=True), RetryLater)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 502, 503])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"[]", b"{}", b'{"error":"no"}', b'{"error":{}}', b'{"error":{"code":"?"}}', b"\xff"],
)
def test_what_makes_no_sense_is_tried_again(status: int, body: bytes) -> None:
    assert judge(status, {}, body) == RetryLater(f"HTTP {status}")


def test_a_success_s_body_with_a_failure_s_status_is_no_success() -> None:
    assert isinstance(judge(500, {}, b'{"events_received": 1}'), RetryLater)


def test_a_request_that_a_proxy_finds_too_large_is_refused() -> None:
    assert isinstance(judge(413, {}, b"<html>"), Refused)


def test_meta_s_words_are_made_fit_for_a_column() -> None:
    answer = error(100, message="a\0b\ud800" + "c" * 600, fbtrace_id="t\0" * 200)
    assert isinstance(answer, RetryLater)  # half of a character is no JSON
    answer = error(100, message="a\0b" + "c" * 600, fbtrace_id="t\0" * 200, error_subcode=10**30)
    assert isinstance(answer, RetryLater)
    assert answer.problem is not None
    assert answer.problem.message == "a b" + "c" * 497
    assert answer.problem.trace_id == "t " * 50
    assert len(answer.problem.name) <= 20


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("Sat, 01 Jan 2000 00:00:00", None),
    ],
)
def test_retry_after_is_read(header: str, seconds: float | None) -> None:
    answer = judge(429, {"retry-after": header}, b"")
    assert isinstance(answer, RetryLater)
    assert answer.retry_after == seconds


def test_retry_after_comes_with_an_error_too(httpserver: HTTPServer, settings: Settings) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    httpserver.expect_request("/v24.0/17/events", method="POST").respond_with_json(
        {"error": {"code": 4, "message": "Slower."}}, status=400, headers={"Retry-After": "7"}
    )
    answer = post()
    assert isinstance(answer, RetryLater)
    assert answer.retry_after == 7


def test_a_closed_connection_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.fail(close=True, times=1)
    assert post() == RetryLater("RemoteProtocolError")
    assert isinstance(post(), Accepted)


def test_an_address_where_nobody_is_is_tried_again(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.GRAPH_API_URL = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert post() == RetryLater("ConnectError")


def test_a_slow_answer_is_given_up(sandbox: Sandbox, settings: Settings) -> None:
    settings.PUBLISH_TIMEOUT_SECONDS = 1
    sandbox.fail(delay_seconds=20, times=1)
    assert post() == RetryLater("ReadTimeout")


def test_a_redirect_is_not_followed(httpserver: HTTPServer, settings: Settings) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    httpserver.expect_ordered_request("/v24.0/17/events").respond_with_data("", 307, {"Location": "/elsewhere"})
    assert post() == RetryLater("HTTP 307")
    httpserver.check()


def test_a_huge_answer_is_not_read_to_its_end(httpserver: HTTPServer, settings: Settings) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")

    def endless(request: Request) -> Response:
        return Response((b" " * 65_536 for _ in range(1_000)), 200, content_type="application/json")

    httpserver.expect_request("/v24.0/17/events").respond_with_handler(endless)
    assert post() == RetryLater("endless answer")


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server for one connection, that answers with what ``talk`` sends."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1_000_000)
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_an_answer_that_drips_is_given_up(settings: Settings, begin: bytes) -> None:
    settings.PUBLISH_TIMEOUT_SECONDS = 0.4
    left = threading.Event()

    def drip(connection: socket.socket) -> None:
        """For a minute, unless the portal hangs up."""
        connection.sendall(begin)
        for _ in range(600):
            time.sleep(0.1)
            try:
                connection.sendall(b" ")
            except OSError:
                left.set()
                return

    with talking(drip) as url:
        settings.GRAPH_API_URL = url
        assert post() == RetryLater("ReadTimeout")
    assert left.is_set()


def test_a_quoted_token_is_masked(httpserver: HTTPServer, settings: Settings) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    refusal = {"error": {"message": f"Bad parameter {TOKEN}", "code": 100}}
    httpserver.expect_request("/v24.0/17/events").respond_with_json(refusal, status=400)

    assert post() == Refused(Problem(100, None, "Bad parameter •••", ""))


@pytest.mark.parametrize("token", ["e", "1", '"', "{", "0", "error", "events_received"])
def test_a_token_that_stands_in_every_answer_spoils_none(
    httpserver: HTTPServer, settings: Settings, token: str
) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    httpserver.expect_request("/v24.0/17/events").respond_with_json({"events_received": 1, "messages": []})

    assert post(token=token) == Accepted("")


@pytest.mark.parametrize(
    ("token", "quoted"),
    [
        ("4711|s\u00e9cret", "4711|s\\u00e9cret"),  # as JSON may escape it
        ('a"b', 'a\\"b'),
        ("4711|secret", "4711%7Csecret"),  # as an address holds it
    ],
)
def test_a_token_is_masked_however_it_is_written(token: str, quoted: str) -> None:
    body = '{"error": {"code": 190, "message": "No: %s", "error_user_msg": "%s", "fbtrace_id": "%s"}}' % ((quoted,) * 3)

    answer = judge(400, {}, body.encode(), secret=token)

    assert answer == BadToken(Problem(190, None, "No: ••• •••", "•••"))
    assert judge(200, {}, b'{"events_received": 1, "fbtrace_id": "%s"}' % quoted.encode(), secret=token) == Accepted(
        "•••"
    )


def test_a_token_that_does_not_fit_leaves_no_part_of_itself() -> None:
    body = json.dumps({"error": {"code": 190, "message": "x" * 490 + TOKEN}}).encode()

    answer = judge(400, {}, body, secret=TOKEN)

    assert answer == BadToken(Problem(190, None, "x" * 490 + "•••", ""))


def test_garbage_instead_of_http_is_tried_again(settings: Settings) -> None:
    with talking(lambda connection: connection.sendall(b"\x00garbage\r\n\r\n")) as url:
        settings.GRAPH_API_URL = url
        assert post() == RetryLater("RemoteProtocolError")


def test_the_token_is_nowhere_but_in_the_body(
    sandbox: Sandbox, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [post()]
    sandbox.fail(code=190, times=1, message="Error validating access token.")
    answers.append(post())
    sandbox.fail(close=True, times=1)
    answers.append(post())
    settings.GRAPH_API_URL = "http://[bad"
    answers.append(post())
    assert TOKEN not in caplog.text + repr(answers)
    assert "event-" not in caplog.text
