"""Addresses of software: written with a slash too many or too few they work, and no answer there is a page."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from portal import addresses, rsgi
from tests.base import Cast, bearer, login
from tests.cost import seconds_of
from tests.events.sending import purchase
from tests.factories import PixelFactory
from tests.told import Told

pytestmark = pytest.mark.django_db

VIEWER = json.dumps({"query": "{ viewer { kind } }"})
TYPENAME = json.dumps({"query": "{ __typename }"})
#: How an address is written by hand, or put together from parts.
SPELLINGS = ("{}", "{}/", "{}//", "/{}", "//{}/", "{}%20", "{}/%20", "{}%0a", "/%0a{}")


def spelled(address: str) -> list[str]:
    doubled = address.replace("/", "//")
    return [*(spelling.format(address) for spelling in SPELLINGS), doubled, f"{doubled}//"]


def test_an_address_of_spaces_is_read_at_once() -> None:
    """The server reads addresses where all others wait for it."""
    path = "/a" + " " * 20_000 + "b"

    assert addresses.find(path) is None
    assert seconds_of(lambda: addresses.find(path), enough=1) < 1


# --- Served ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", spelled("/capi/17/events"))
def test_events_are_taken_however_the_address_is_written(path: str) -> None:
    PixelFactory.create(pixel_id="17")

    assert Told("POST", path, json.dumps({"data": [purchase()]})).status == 202


@pytest.mark.parametrize("path", [*spelled("/v24.0/17/events"), *spelled("/17/events"), "/v9.12/17/events"])
def test_at_the_graph_apis_own_addresses_success_is_200(path: str) -> None:
    PixelFactory.create(pixel_id="17")

    told = Told("POST", path, json.dumps({"data": [purchase()]}))

    assert told.status == 200
    assert told.json.keys() == {"events_received", "messages", "fbtrace_id"}
    assert told.json["events_received"] == 1


@pytest.mark.parametrize("path", [*spelled("/hub/graphql"), *spelled("/capig/graphql")])
def test_graphql_answers_tokens_and_sessions_however_its_address_is_written(cast: Cast, path: str) -> None:
    query = VIEWER if "hub" in path else TYPENAME
    client = login(cast.hanna)
    client.get("/hub/")
    cookies = {name: cookie.value for name, cookie in client.cookies.items()}
    in_browser = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
    }

    assert Told("POST", path, query, Authorization=f"Bearer {bearer(cast.robot)}").status == 200
    assert Told("POST", path, query, **in_browser).status == 200


@pytest.mark.parametrize("path", spelled("/clients/token"))
def test_a_token_is_issued_however_the_address_is_written(cast: Cast, path: str) -> None:
    told = Told("POST", path, "grant_type=client_credentials", "application/x-www-form-urlencoded")

    assert told.json["error"] == "invalid_client"


@pytest.mark.parametrize(
    "path",
    [
        *spelled("/healthz"),
        *spelled("/livez"),
        *spelled("/hub/health"),
        *spelled("/api/usage"),
        *spelled("/api/openapi.json"),
    ],
)
def test_the_rest_api_answers_however_its_address_is_written(cast: Cast, path: str) -> None:
    told = Told("GET", path, Authorization=f"Bearer {bearer(cast.robot)}")

    assert told.json
    assert told.status == (400 if "usage" in path else 200)  # without the days that it is about


# --- Refused, in the form of the address -----------------------------------------------------------------------------

UNKNOWN = [
    *("/capi", "/capi/", "/capi/17", "/capi/17/events/x", "/capi/events", "/capi/%00", "/capi/%ff"),
    *("/v24.0", "/v24.0/17", "/v24.0//events", "/v24.0/act_17/events", "/v24.0/me", "/17", "/17/adverts"),
    *("/hub/graphql/x", "/hub/graphql/schema", "/capig", "/capig/", "/capig/graphql/x", "/capig/x"),
    *("/clients", "/clients/", "/clients/token/x", "/clients/tokens"),
    *("/v24/17/events", "/24.0/17/events", "/V24.0/17/events", "/CAPI/17/events", "/Capi/x", "/CAPIG/graphql"),
    *("/hub/graphql.json", "/graphql", "/graphql/", "/HUB/graphql", "/oauth/token", "/oauth2/token", "/API/usage"),
    *("/.well-known", "/.well-known/openid-configuration", "/.well-known/security.txt", "/.Well-Known/x"),
    *("/api", "/api/", "/api/x", "/api/usage/x", "/healthz/x", "/healthz//x/", "/livez/x", "/hub/health/x"),
]


def assert_in_its_form(path: str, told: Told) -> None:
    found = addresses.find(path)
    assert found
    error = told.json
    path = found[1].lower()
    if path.startswith(("/clients", "/.well-known", "/oauth")):
        assert error.keys() == {"error", "error_description"}
    elif path.startswith(("/hub/graphql", "/graphql", "/capig")):
        assert [each["extensions"]["code"] for each in error["errors"]] == [told.status]
    elif path.startswith(("/api", "/healthz", "/livez", "/hub/health")):
        assert error["error"].keys() >= {"message", "code"}
    else:
        assert error["error"].keys() == {"message", "type", "code", "error_subcode", "fbtrace_id"}
    assert told.headers["X-Content-Type-Options"] == "nosniff" or told.status == 308
    assert told.headers["Content-Length"] == str(len(told.body))


@pytest.mark.parametrize("pixel_id", ["17", "x", "%00", "17%00", "%ff", "%F0%9F%98%80", "1" * 3000])
@pytest.mark.parametrize("address", ["/capi/{}/events", "/v24.0/{}/events", "/{}/events"])
def test_of_a_pixel_that_nobody_has_the_graph_api_tells(address: str, pixel_id: str) -> None:
    path = address.format(pixel_id)
    if addresses.find(path):
        told = Told("POST", path, json.dumps({"data": [purchase()]}))

        assert told.status == 404
        assert_in_its_form(path, told)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", UNKNOWN)
def test_what_is_not_there_is_told_in_the_form_of_the_address(method: str, path: str) -> None:
    told = Told(method, path, "{}" if method != "GET" else "")

    assert told.status == 404
    assert_in_its_form(path, told)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/capi/17/events", "POST, OPTIONS"),
        ("DELETE", "/v24.0/17/events", "POST, OPTIONS"),
        ("GET", "/17/events/", "POST, OPTIONS"),
        ("DELETE", "/hub/graphql", "POST"),
        ("PUT", "/capig/graphql/", "POST"),
        ("GET", "/clients/token/", "POST"),
        ("DELETE", "/clients/token", "POST"),
        ("POST", "/.well-known/oauth-authorization-server/", "GET"),
        ("POST", "/api/usage/", "GET"),
        ("DELETE", "/healthz/", "GET"),
        ("POST", "/api/docs", "GET, HEAD"),
        ("OPTIONS", "/api/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_in_the_form_of_the_address(method: str, path: str, allowed: str) -> None:
    told = Told(method, path, "")

    assert told.status == 405
    assert allowed in told.headers["Allow"]
    assert_in_its_form(path, told)


@pytest.mark.parametrize("path", ["/hub/graphql/", "/capig/graphql", "/clients/token", "/api/usage", "/api/x"])
def test_a_host_that_is_not_ours_is_refused_without_a_page(path: str) -> None:
    told = Told("POST", path, "{}", Host="evil.example.com", Cookie="a=b")

    assert told.status == 400
    assert "ALLOWED_HOSTS" in told.body.decode()
    assert_in_its_form(path, told)


@pytest.mark.usefixtures("https")
def test_by_http_too_a_host_that_is_not_ours_is_told_why() -> None:
    told = Told("POST", "/clients/token", "{}", Host="evil.example.com")

    assert told.status == 400
    assert "ALLOWED_HOSTS" in told.json["error_description"]


def test_an_oauth_address_where_nothing_is_blames_no_request() -> None:
    assert Told("GET", "/clients/token/x").json["error"] == "not_found"


HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "content_type", "accept"),
    [
        ("POST", "application/json", "*/*"),
        ("POST", FORM, "*/*"),
        ("POST", "application/json", HTML),
        ("GET", "", "*/*"),
        ("GET", "", "application/json"),
        ("GET", "", ""),
        ("PUT", "application/json", "*/*"),
    ],
)
def test_software_at_an_address_that_nobody_knows_reads_no_page(method: str, content_type: str, accept: str) -> None:
    response = Client().generic(method, "/nowhere/x", "{}", content_type, headers={"accept": accept})

    assert response.status_code == 404
    assert response.json() == {"error": {"message": "There is nothing at this address.", "code": 404}}


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", {"accept": HTML}), ("POST", {"accept": HTML}), ("GET", {"hx-request": "true"})]
)
def test_a_browser_there_shows_a_page(method: str, headers: dict[str, str]) -> None:
    response = Client().generic(method, "/nowhere/x", "a=b", FORM, headers=headers)

    assert response.status_code == 404
    assert "text/html" in response.headers["Content-Type"]


@pytest.mark.parametrize("path", ["/capi/17/events", "/v24.0/17/events/", "//17/events", "/healthz"])
def test_load_balancers_and_accounts_own_domains_ask_by_any_host(path: str) -> None:
    PixelFactory.create(pixel_id="17")
    told = Told(
        "GET" if path == "/healthz" else "POST", path, json.dumps({"data": [purchase()]}), Host="events.shop.example"
    )

    assert told.status in (200, 202)


def test_a_fault_of_ours_is_told_without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.views.token.metadata", fail)
    told = Told("GET", "/.well-known/oauth-authorization-server")

    assert told.status == 500
    assert told.json == {"error": "server_error", "error_description": "Internal Server Error."}


# --- Redirects -------------------------------------------------------------------------------------------------------


@pytest.fixture
def https(settings: Settings) -> Iterator[None]:
    """The application as it is made where https is asked for."""
    settings.SECURE_SSL_REDIRECT, settings.BASE_URL = True, "https://gateway.example.com"
    settings.ALLOWED_HOSTS = ["gateway.example.com", "localhost"]
    importlib.reload(rsgi)
    yield
    settings.SECURE_SSL_REDIRECT = False
    importlib.reload(rsgi)


@pytest.mark.usefixtures("https")
@pytest.mark.parametrize(
    "path", ["/capi/17/events/", "/hub/graphql", "//capig/graphql", "/clients/token/", "/v24.0/1/events"]
)
def test_the_way_to_https_keeps_a_post_a_post(path: str) -> None:
    told = Told("POST", path, "{}", Host="localhost")

    assert told.status == 308
    assert told.headers["Location"].startswith("https://localhost/")
    assert_in_its_form(path, told)


@pytest.mark.usefixtures("https")
def test_from_an_accounts_own_domain_the_way_to_https_leads_to_the_portal() -> None:
    told = Told("POST", "/capi/17/events", "{}", Host="events.shop.example")

    assert told.headers["Location"] == "https://gateway.example.com/capi/17/events"


@pytest.mark.parametrize(
    "path", ["/hub", "/hub/settings", "/auth/login", "//hub/", "/capigs/graphql", "/health", "/hub/graphqls", "/v/x"]
)
def test_pages_are_left_alone(path: str) -> None:
    assert addresses.find(path) is None


def test_a_database_that_is_away_is_told_without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.views.token.metadata", Mock(side_effect=OperationalError))

    told = Told("GET", "/.well-known/oauth-authorization-server/")

    assert told.status == 503
    assert int(told.headers["Retry-After"]) > 0
    assert told.json["error"] == "temporarily_unavailable"


def test_no_page_is_made_for_software(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its templates may be what fails, and cost more than the answer."""

    def fail(*args: object, **options: object) -> None:
        raise AssertionError

    for place in ("django.template.base.Template.render", "portal.middleware.render"):
        monkeypatch.setattr(place, fail)

    for path in UNKNOWN:
        assert Told("GET", path).status == 404, path


def test_people_still_read_pages() -> None:
    assert "text/html" in Client().get("/nowhere/", headers={"accept": HTML}).headers["Content-Type"]
    assert Client().get("/api/docs/").status_code == 200
