"""Sending to a real server: what it gets, and what becomes of its answer."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from common.secrets import MASK
from pipelines.custom_http.answers import Accepted, Held, Refused, Wait
from pipelines.custom_http.configuration import Secrets, Shown
from pipelines.custom_http.judging import timeout
from pipelines.custom_http.parameters import SAMPLE
from pipelines.custom_http.requests import BATCH_MAX_EVENTS, batch_size
from pipelines.custom_http.sending import preview, send
from pipelines.custom_http.tokens import forget_tokens
from tests.pipelines.custom_http.templates import PRINTED

ONE = '{"name": {{ event_name }}, "value": {{ value }}, "nothing": {{ event.nothing }}, "more": {{ custom_data }}}'


@pytest.fixture(autouse=True)
def _served_here(settings: Settings) -> None:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    forget_tokens()


@pytest.fixture
def server(httpserver: HTTPServer) -> HTTPServer:
    return httpserver


def at(server: HTTPServer, path: str = "/events") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def shown(server: HTTPServer, **changes: Any) -> Shown:
    plain = {"endpoint": at(server), "httpMethod": "POST", "authType": "NONE", "payloadSchema": ONE}
    return Shown.read(plain | changes)


def sent(server: HTTPServer, number: int = -1) -> Request:
    return server.log[number][0]


def answers(server: HTTPServer, status: int, body: str = "", **headers: str) -> None:
    server.expect_request("/events").respond_with_data(body, status, headers)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_payload_is_the_body(server: HTTPServer, method: str) -> None:
    answers(server, 204)

    assert send(shown(server, httpMethod=method), Secrets(), [SAMPLE]) == Accepted(204)

    request = sent(server)
    assert (request.method, request.headers["Content-Type"]) == (method, "application/json")
    assert json.loads(request.data) == {
        "name": "Purchase", "value": 89.9, "nothing": None, "more": SAMPLE["custom_data"],
    }  # fmt: skip
    assert "Authorization" not in request.headers


def test_the_printed_template_sends_all_events_at_once(server: HTTPServer) -> None:
    answers(server, 200)
    printed = shown(server, payloadSchema=PRINTED)

    send(printed, Secrets(), [SAMPLE] * 3)

    assert len(json.loads(sent(server).data)["data"]) == 3
    assert batch_size(printed) == BATCH_MAX_EVENTS
    assert batch_size(shown(server)) == 1


def test_by_get_the_members_are_parameters(server: HTTPServer) -> None:
    answers(server, 200)
    event = {**SAMPLE, "event_name": "Ä & b=c#d"}

    send(shown(server, httpMethod="GET", endpoint=at(server, "/events?fixed=1#top")), Secrets(), [event])

    request = sent(server)
    assert request.args.to_dict() == {
        "fixed": "1", "name": "Ä & b=c#d", "value": "89.9", "more": json.dumps(SAMPLE["custom_data"]),
    }  # fmt: skip
    assert request.data == b""


def test_too_long_an_address_is_not_asked(server: HTTPServer) -> None:
    event = {**SAMPLE, "event_name": "x" * 9_000}

    assert send(shown(server, httpMethod="GET"), Secrets(), [event]) == Refused(
        "The template: makes an address of more than 8000 characters."
    )
    assert server.log == []


def test_by_get_a_list_is_no_payload(server: HTTPServer) -> None:
    answer = send(shown(server, httpMethod="GET", payloadSchema="[{{ event_name }}]"), Secrets(), [SAMPLE])

    assert isinstance(answer, Refused)
    assert "by GET" in answer.words


@pytest.mark.parametrize("add_to", ["HEADER", "QUERY_PARAM"])
def test_an_api_key(server: HTTPServer, add_to: str) -> None:
    answers(server, 200)
    configured = shown(server, authType="API_KEY", apiKeyAuth={"name": "X-Key", "addTo": add_to})

    send(configured, Secrets(api_key="k&y =1"), [SAMPLE])

    request = sent(server)
    found = request.headers.get("X-Key") if add_to == "HEADER" else request.args.get("X-Key")
    assert found == "k&y =1"


@pytest.mark.parametrize("credentials", ["ada:pass:wörd", base64.b64encode("ada:pass:wörd".encode()).decode()])
def test_basic_authentication(server: HTTPServer, credentials: str) -> None:
    answers(server, 200)

    send(shown(server, authType="BASIC"), Secrets(credentials=credentials), [SAMPLE])

    scheme, _, encoded = sent(server).headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", "ada:pass:wörd")


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_json_web_token_is_signed_for_each_request(server: HTTPServer, kind: str) -> None:
    answers(server, 200)
    made = rsa.generate_private_key(65_537, 2_048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    configured = shown(server, authType="JSON_WEB_TOKEN", jsonWebTokenAuth={"serviceUserAccount": "portal@example"})

    assert send(configured, Secrets(private_key=pem), [SAMPLE]) == Accepted(200)

    token = sent(server).headers["Authorization"].removeprefix("Bearer ")
    key = (RSAKey if kind == "RSA" else ECKey).import_key(pem)
    decoded = jwt.decode(token, key, algorithms=["RS256" if kind == "RSA" else "ES256"])
    now = time.time()
    assert {name: decoded.claims[name] for name in ("iss", "sub", "aud")} == {
        "iss": "portal@example", "sub": "portal@example", "aud": at(server, "/"),
    }  # fmt: skip
    assert now - 60 < decoded.claims["iat"] <= now < decoded.claims["exp"] <= now + 300


@pytest.mark.parametrize("key", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_signs_nothing_holds(server: HTTPServer, key: str) -> None:
    configured = shown(server, authType="JSON_WEB_TOKEN", jsonWebTokenAuth={"serviceUserAccount": "portal"})

    assert send(configured, Secrets(private_key=key), [SAMPLE]) == Held("The private key cannot sign.")
    assert server.log == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Accepted), (202, Accepted), (204, Accepted),
        (301, Wait), (302, Wait), (307, Wait),
        (400, Refused), (404, Refused), (409, Refused), (413, Refused), (422, Refused),
        (401, Held), (403, Held),
        (408, Wait), (425, Wait), (429, Wait), (500, Wait), (502, Wait), (503, Wait), (599, Wait),
    ],
)  # fmt: skip
def test_the_status_tells_whose_fault_it_is(server: HTTPServer, status: int, expected: type) -> None:
    answers(server, status, Location="/elsewhere")

    answer = send(shown(server), Secrets(), [SAMPLE])

    assert isinstance(answer, expected)
    assert answer.status == status
    assert len(server.log) == 1


def test_a_template_that_another_version_saved_holds(server: HTTPServer) -> None:
    configured = shown(server, payloadSchema="{% assign x = 1 %}{{ x }}")

    assert batch_size(configured) > 1
    assert send(configured, Secrets(), [SAMPLE]) == Held("The template: line 1: unexpected tag 'assign'.")
    assert server.log == []


def test_an_event_that_the_template_cannot_take_is_refused(server: HTTPServer) -> None:
    configured = shown(server, payloadSchema="{{ value | times: value }}")

    answer = send(configured, Secrets(), [{"custom_data": {"value": 1e308}}])

    assert answer == Refused("The template: a value is of a kind that JSON does not have.")
    assert server.log == []


def test_when_to_come_again_is_the_servers_word(server: HTTPServer) -> None:
    answers(server, 429, "slow down", **{"Retry-After": "120"})

    assert send(shown(server), Secrets(), [SAMPLE]) == Wait("HTTP 429: slow down", 429, 120.0)


@pytest.mark.parametrize(("longest", "seconds"), [(10, 5), (2, 2)])
def test_five_seconds_are_the_time_unless_the_operator_gives_less(
    settings: Settings, longest: int, seconds: int
) -> None:
    settings.PUBLISH_TIMEOUT_SECONDS = longest

    assert timeout() == seconds


def test_who_does_not_answer_in_time_is_asked_again_later(server: HTTPServer, settings: Settings) -> None:
    def late(request: Request) -> Response:
        time.sleep(1.2)
        return Response("")

    server.expect_request("/events").respond_with_handler(late)
    settings.PUBLISH_TIMEOUT_SECONDS = 1

    assert send(shown(server), Secrets(), [SAMPLE]) == Wait("No answer in 1 seconds.")


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://10.0.0.1/", "The address is not on the public internet."),
        ("http://[::1]/", "The address is not on the public internet."),
        (
            "http://127.0.0.1:1/",
            "No connection: the name is unknown, nobody is there, or the certificate is not valid.",
        ),
        (
            "http://nowhere.example.com/",
            "No connection: the name is unknown, nobody is there, or the certificate is not valid.",
        ),
    ],
)
def test_where_nobody_can_be_asked_events_wait(server: HTTPServer, endpoint: str, words: str) -> None:
    assert send(shown(server, endpoint=endpoint), Secrets(), [SAMPLE]) == Wait(words)


def test_what_the_server_quotes_of_secrets_is_masked(server: HTTPServer) -> None:
    def quoting(request: Request) -> Response:
        return Response(f"no: {request.headers['Authorization']} pass word pass%20word ok", 400)

    server.expect_request("/events").respond_with_handler(quoting)

    answer = send(shown(server, authType="BASIC"), Secrets(credentials="ada:pass word"), [SAMPLE])

    assert answer == Refused(f"HTTP 400: no: Basic {MASK} {MASK} {MASK} ok", 400)


def test_what_can_be_read_of_a_request_has_no_secret(server: HTTPServer) -> None:
    secrets = Secrets(api_key="hidden", credentials="a:hidden", client_secret="hidden", private_key="hidden")
    in_header = shown(server, authType="API_KEY", apiKeyAuth={"name": "X-Key", "addTo": "HEADER"})
    in_address = shown(server, authType="API_KEY", apiKeyAuth={"name": "key", "addTo": "QUERY_PARAM"})

    assert "hidden" not in repr(secrets) + str(secrets)
    assert preview(in_header, [SAMPLE]).headers["X-Key"] == MASK
    assert preview(in_address, [SAMPLE]).url == at(server, f"/events?key={MASK}")
    assert preview(shown(server, authType="BASIC"), [SAMPLE]).headers["Authorization"] == f"Basic {MASK}"
    assert json.loads(preview(in_header, [SAMPLE]).body or b"")["name"] == "Purchase"
    assert MASK not in repr(preview(in_header, [SAMPLE]))
    assert server.log == []
