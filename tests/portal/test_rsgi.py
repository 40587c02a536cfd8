"""What granian says of a request, and what it is answered with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from importlib import reload
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import Settings

from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from common import env
from common.client_address import network_of
from common.rsgi import has_body, read_head
from events.models import OutboxRow
from pixels.models import PixelImport
from portal import addresses, pages, rsgi
from tests.base import Cast, login
from tests.events.sending import purchase
from tests.factories import PixelFactory
from tests.pages import address
from tests.rsgi import Head, HeaderMap, Wire, ask, portal, serve

pytestmark = pytest.mark.django_db


class Unread(Wire):
    """Nobody may read it."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("read")


def head(*fields: tuple[str, str], **changes: Any) -> Head:
    return Head("POST", "/capi/1/events", "a=1", HeaderMap(list(fields)), **changes)


# --- The head of a request -------------------------------------------------------------------------------------------


def test_a_request_is_read_in_plain_words() -> None:
    request = read_head(head(("Host", "localhost"), ("X-Shop", "eu"), client="192.0.2.7:5000"), [])

    assert request[:4] == ("POST", "/capi/1/events", "a=1", {"host": "localhost", "x-shop": "eu"})
    assert (request.address, request.scheme) == ("192.0.2.7", "http")


def test_an_address_of_ipv6_stands_without_brackets_and_port() -> None:
    assert read_head(head(client="[2001:db8::7]:5000"), []).address == "2001:db8::7"


def test_without_a_host_the_address_that_was_asked_for_stands_in() -> None:
    assert read_head(head(authority="gateway.example.com"), []).headers["host"] == "gateway.example.com"
    assert read_head(head(("Host", "a.example"), authority="b.example"), []).headers["host"] == "a.example"
    assert read_head(head(), []).headers["host"] == ""


def test_what_was_sent_several_times_is_joined_but_for_what_has_one_value() -> None:
    fields = [("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1"), ("Cookie", "b=2")]
    fields += [("Content-Type", "text/plain"), ("Content-Type", "text/html")]

    headers = read_head(head(*fields), []).headers

    assert headers["x-a"] == "1,2"
    assert headers["cookie"] == "a=1;b=2"
    assert headers["content-type"] == "text/plain"


def test_a_header_of_the_callers_is_not_taken_for_a_proxys() -> None:
    headers = read_head(head(("Host", "localhost"), ("X_Forwarded_For", "192.0.2.7"), ("X-Name", "Zoë")), []).headers

    assert headers == {"host": "localhost", "x-name": ""}


def test_a_body_comes_where_a_header_says_so() -> None:
    assert has_body(read_head(head(("Content-Length", "2")), []))
    assert has_body(read_head(head(("Transfer-Encoding", "chunked")), []))
    assert not has_body(read_head(head(("Content-Length", "0")), []))
    assert not has_body(read_head(head(), []))


def test_a_proxy_is_known_by_either_kind_of_address(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "2001:db8::7"]

    known = [network_of(address) for address in ("10.1.2.3", "2001:db8::7", "192.0.2.1", "2001:db9::7")]

    assert [portal()._is_proxy(caller) for caller in known] == [True, True, False, False]


# --- Lanes -----------------------------------------------------------------------------------------------------------


def test_whether_the_process_is_alive_is_told_without_a_thread() -> None:
    application = portal()
    application._others = application._checks = application._events = cast(Any, None)

    assert serve(Head("GET", "/livez", "", HeaderMap([("Host", "x")])), Wire([]), application).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/hub/health/", "/internal/tls-check"])
def test_checks_wait_for_no_page(path: str) -> None:
    application = portal()
    application._others = cast(Any, None)

    assert serve(Head("GET", path, "", HeaderMap([("Host", "localhost")])), Wire([]), application).status < 500


# --- Bodies ----------------------------------------------------------------------------------------------------------


def test_events_come_in_parts_and_in_chunks() -> None:
    pixel = PixelFactory.create()
    body = json.dumps({"data": [purchase()]}).encode()
    path = f"/capi/{pixel.pixel_id}/events"

    assert ask("POST", path, body, size=10).status == 202
    assert ask("POST", path, body, [("Transfer-Encoding", "chunked")], size=10).status == 202
    assert OutboxRow.objects.count() == 2


@pytest.mark.parametrize("path", ["/capi/1/events", "/clients/token", "/hub/graphql", "/auth/login/", "/api/usage"])
def test_a_body_that_was_cut_off_changes_nothing_and_is_refused(path: str) -> None:
    fields = [("Content-Length", "100"), ("Authorization", "Bearer a"), ("Content-Type", "application/json")]

    answer = ask("POST", path, b'{"data": [', fields)

    assert 400 <= answer.status < 500
    assert OutboxRow.objects.count() == 0


def test_a_body_that_is_too_long_for_anybody_is_not_read() -> None:
    said = [("Content-Length", "99999999"), ("Content-Type", "text/plain")]
    unsaid = [("Transfer-Encoding", "chunked"), ("Content-Type", "text/plain")]

    for path in ("/capi/1/events", "/auth/login/", "/clients/revoke"):
        assert ask("POST", path, b"", said).status in (400, 404, 413)
    asks_first = [("Content-Length", "9999999"), ("Expect", "100-continue")]
    wire = Unread([])
    assert serve(Head("POST", "/auth/login/", "", HeaderMap(asks_first)), wire).status == 413
    answer = ask("POST", "/auth/login/", bytes(6_000_000), unsaid, size=1_000_000)
    assert (answer.status, answer.header("Connection")) == (413, "close")


@pytest.mark.parametrize("said", [True, False])
def test_of_a_browsers_body_no_more_is_held_than_an_event_may_have(said: bool) -> None:
    application, held = portal(), []

    class Watched(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(30):
                held.append(application._bodies.held)
                yield bytes(10_000)

    how = ("Content-Length", "300000") if said else ("Transfer-Encoding", "chunked")
    answer = serve(Head("POST", "/events", "", HeaderMap([("Host", "localhost"), how])), Watched([]), application)

    assert answer.status == 413
    assert len(held) == 30, "it is read to its end"
    assert max(held) == (0 if said else 70_000)


@pytest.mark.parametrize("length", ["1234567890123456789", "9" * 5_000])
@pytest.mark.parametrize("path", ["/capi/{}/events", "/events", "/api/usage", "/auth/login/", "/nothing"])
def test_a_length_of_many_digits_is_too_large(path: str, length: str) -> None:
    fields = [("Content-Length", length), ("Content-Type", "text/plain")]

    answer = ask("POST", path.format(PixelFactory.create().pixel_id), b"", fields)

    assert answer.status == 413


def test_whose_address_it_is_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    find = Mock(wraps=addresses.find)
    monkeypatch.setattr(addresses, "find", find)

    paths = ["/capi/1/events", "/healthz", "/hub/graphql", "/api/usage", "/auth/login/", "/nothing"]
    for path in paths:
        ask("GET", path)

    assert [looked_for.args for looked_for in find.call_args_list] == [(path,) for path in paths]


def test_a_fault_in_front_of_the_doors_is_told_in_the_callers_form(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    application = portal()
    monkeypatch.setattr(application, "_answer_one", fail)
    monkeypatch.setattr(application._others, "_work", fail)

    answer = serve(Head("GET", "/healthz", "", HeaderMap([])), Wire([]), application)

    assert (answer.status, answer.body) == (500, b'{"error":{"message":"Internal Server Error.","code":500}}')
    assert "could not be answered" in caplog.text


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_a_page_is_djangos_own(cast: Cast) -> None:
    cookie = login(cast.hanna).cookies["sessionid"].value

    answer = ask("GET", "/hub/", headers=[("Cookie", "theme=dark"), ("Cookie", f"sessionid={cookie}")])

    assert answer.status == 200
    assert b"</html>" in answer.body
    assert answer.header("Content-Security-Policy")


def test_a_file_is_uploaded(cast: Cast) -> None:
    cookie = login(cast.max).cookies["sessionid"].value
    upload = SimpleUploadedFile("pixels.csv", b"pixel_id,business_id,access_token\r\n111,1,token\r\n", "text/csv")
    token = "a" * 32
    body = encode_multipart(BOUNDARY, {"file": upload, "csrfmiddlewaretoken": token})
    headers = [("Cookie", f"sessionid={cookie};csrftoken={token}"), ("Content-Type", MULTIPART_CONTENT)]

    answer = ask("POST", address("pixels:import", cast.shoes), body, headers, size=20)

    assert answer.status == 302, answer.body
    assert PixelImport.objects.get().tenant == cast.shoes


@pytest.fixture
def style_sheet(settings: Settings) -> Iterator[bytes]:
    settings.WHITENOISE_USE_FINDERS = True
    reload(rsgi)
    yield (env.ROOT / "static/css/portal.css").read_bytes()
    settings.WHITENOISE_USE_FINDERS = False
    reload(rsgi)


def test_a_static_file_is_sent_by_the_server_itself(style_sheet: bytes) -> None:
    wire = Wire([])
    whole = serve(Head("GET", "/static/css/portal.css", "", HeaderMap([("Host", "localhost")])), wire)
    part = ask("GET", "/static/css/portal.css", headers=[("Range", "bytes=0-9")])
    nothing = ask("HEAD", "/static/css/portal.css")

    assert (whole.status, whole.body, len(wire.files)) == (200, style_sheet, 1)
    assert (part.status, part.body) == (206, style_sheet[:10])
    assert (nothing.status, nothing.body, nothing.header("Content-Length")) == (200, b"", str(len(style_sheet)))


def test_a_long_answer_waits_for_its_reader_in_a_file_that_nobody_must_remove(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A killed process leaves none behind; nor does one whose readers never come."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/csv")])
        return [b"first,", b"second,", b"third"]

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(pages, "KEPT_IN_MEMORY", 8)
    monkeypatch.setattr(pages, "OPENED_SECONDS", 0.01)
    long = pages.answer_page(application, read_head(head(), []), ("localhost", "8000"), "HTTP/1.1")
    assert isinstance(long, pages.SentFile)
    assert list(tmp_path.iterdir()) == []
    wire = Wire([])

    async def story() -> None:
        await long.send(wire)
        await asyncio.sleep(0.1)

    asyncio.run(story())

    assert wire.answer is not None
    assert (wire.answer.status, wire.answer.body) == (200, b"first,second,third")
    assert wire.answer.header("Content-Length") == "18"
    assert long.file is not None
    assert long.file.closed


def test_an_answer_that_breaks_off_is_no_answer(cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it was sent piece by piece, a client took the first half for all of it."""

    def parts() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return parts()

    monkeypatch.setattr("portal.rsgi._django", application)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for most in (1_000, 2):
        monkeypatch.setattr(pages, "KEPT_IN_MEMORY", most)
        assert ask("GET", "/hub/").status == 500
    assert list(tmp_path.iterdir()) == []


def test_the_path_and_the_query_are_djangos_as_with_any_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    monkeypatch.setattr("portal.rsgi._django", application)
    ask("GET", "/caf%C3%A9/a b?q=%C3%A9")

    (environ,) = seen
    assert WSGIRequest(environ).path_info == "/café/a b"
    assert WSGIRequest(environ).GET["q"] == "é"


# --- Beside Django ---------------------------------------------------------------------------------------------------


@pytest.fixture
def without_django(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("Django was asked")

    monkeypatch.setattr("portal.rsgi._django", fail)


@pytest.mark.usefixtures("without_django")
@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/livez", "/hub/health/", "/hub/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_told_beside_django_under_any_host(settings: Settings, method: str, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = ask(method, path, headers=[("Host", "10.0.0.7")])

    assert (answer.status, answer.body) == (200, b'{"status": "ok"}')


@pytest.mark.usefixtures("without_django")
def test_a_token_is_given_asked_about_and_ended_beside_django() -> None:
    issued = create_api_account(principal=OPERATOR, name="Shop")
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    who = f"client_id=Shop&client_secret={issued.secret}"

    given = ask("POST", "/clients/token/", f"grant_type=client_credentials&{who}".encode(), form)
    token = json.loads(given.body)["access_token"]
    known = ask("POST", "/clients/introspect", f"token={token}&{who}".encode(), form)
    ended = ask("POST", "/clients/revoke", f"token={token}&{who}".encode(), [*form, ("Transfer-Encoding", "chunked")])
    unknown = ask("POST", "/clients/introspect", f"token={token}&{who}".encode(), form)

    assert [answer.status for answer in (given, known, ended, unknown)] == [200] * 4
    assert [json.loads(answer.body)["active"] for answer in (known, unknown)] == [True, False]
    assert given.header("Cache-Control") == "no-store"
    assert "default-src 'none'" in given.header("Content-Security-Policy")


@pytest.mark.usefixtures("without_django")
def test_a_form_that_was_cut_off_gives_no_token() -> None:
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "100")]

    answer = ask("POST", "/clients/token", b"grant_type=client_credentials&client_id=Shop", form)

    assert answer.status == 400
    assert b"did not arrive whole" in answer.body
