"""At an account's own domain its events are taken, and nothing else is there; proxies ask which domains those are."""

from __future__ import annotations

import json
from io import BytesIO
from unittest.mock import Mock
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import IngressDomain
from accounts.own_domains import forget_own_domains
from accounts.principals import OPERATOR
from accounts.services.routing import DnsAnswer, DnsOutcome, upsert_ingress_domain
from common.errors import InvalidInput
from common.http import Request
from portal import addresses
from tests.base import Cast, bearer
from tests.events.sending import purchase
from tests.factories import IngressDomainFactory, PixelFactory
from tests.told import Told

pytestmark = pytest.mark.django_db

OWN = "events.shoes.example.com"
ELSEWHERE = "nobody.example.com"
EVENTS = ("/capi/17/events", "/v24.0/17/events", "/17/events", "//capi//17/events/")
CLOSED = [
    *("/", "/hub/", "/auth/login/", "/admin/", "/static/portal.css", "/nowhere", "/hub/graphql", "/hub/graphql/"),
    *("/capig/graphql/", "/clients/token", "/api/usage", "/healthz", "/hub/health/", "/.well-known/x"),
    *("/internal/tls-check", "//hub//graphql//"),
]


@pytest.fixture
def own(cast: Cast) -> IngressDomain:
    PixelFactory.create(tenant=cast.shoes, pixel_id="17")
    return IngressDomainFactory.create(tenant=cast.shoes, ingress=OWN, status=IngressDomain.Status.VERIFIED)


@pytest.fixture(params=[["testserver"], ["testserver", "*"]], ids=["names", "any"])
def _hosts(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = request.param


# --- Hosts -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own", "_hosts")
@pytest.mark.parametrize("path", EVENTS)
@pytest.mark.parametrize("host", [OWN, f"{OWN}:443", OWN.upper(), f"{OWN}.", ELSEWHERE])
def test_events_are_taken_at_any_host(path: str, host: str) -> None:
    assert Told("POST", path, json.dumps({"data": [purchase()]}), Host=host).status in (200, 202)


@pytest.mark.usefixtures("own", "_hosts")
@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("host", [OWN, f"{OWN}:443", OWN.upper(), f"{OWN}."])
@pytest.mark.parametrize("https_only", [False, True])
def test_nothing_else_is_there(cast: Cast, settings: Settings, path: str, host: str, https_only: bool) -> None:
    settings.SECURE_SSL_REDIRECT = https_only
    for method in ("GET", "POST"):
        told = Told(method, path, "{}", Host=host, Authorization=f"Bearer {bearer(cast.robot)}")

        assert told.status == 404
        assert "There is nothing at this address." in told.body.decode()
        assert told.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("own")
def test_it_is_said_in_the_form_that_the_caller_reads() -> None:
    assert Told("POST", "/hub/graphql/", "{}", Host=OWN).json["errors"][0]["extensions"]["code"] == 404
    assert Told("POST", "/clients/token", "{}", Host=OWN).json.keys() == {"error", "error_description"}
    assert Told("GET", "/nowhere", Host=OWN).json["error"]["code"] == 404
    page = Told("GET", "/auth/login/", Host=OWN, Accept="text/html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Set-Cookie" not in page.headers


@pytest.mark.usefixtures("own", "_hosts")
@pytest.mark.parametrize("path", CLOSED)
def test_it_is_the_same_without_the_doors_before_django(path: str) -> None:
    answer = Client().get(path, headers={"host": OWN})

    assert answer.status_code == 404
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_domain_that_waits_for_its_cname_is_a_host_like_any_other(cast: Cast) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, ingress=OWN)

    assert Told("GET", "/hub/", Host=OWN).status == Told("GET", "/hub/", Host=ELSEWHERE).status == 400


def test_the_portals_own_name_is_never_an_accounts(cast: Cast, settings: Settings) -> None:
    """Else whoever claims it would close the portal."""
    settings.ALLOWED_HOSTS = ["testserver", "portal.example.com", ".inside.example.com"]
    for name in ("portal.example.com", "a.inside.example.com"):
        with pytest.raises(InvalidInput, match="ingress: is a name of the gateway itself"):
            upsert_ingress_domain(
                principal=OPERATOR,
                tenant_id=cast.shoes.pk,
                ingress=name,
                target_domain="lb.example.net",
                look_up=lambda _: DnsAnswer(DnsOutcome.CNAME, "lb.example.net"),
            )
    # One that was stored before the operator gave the portal this name.
    IngressDomainFactory.create(tenant=cast.shoes, ingress="portal.example.com", status=IngressDomain.Status.VERIFIED)

    assert Told("GET", "/auth/login/", Host="portal.example.com").status != 404


def test_every_door_of_events_is_one_that_takes_any_host() -> None:
    assert [each.example for each in addresses.TABLE if each.events] == [
        *("/capi/17/events", "/events", "/v24.0/17/events", "/17/events")
    ]
    assert all(each.any_host for each in addresses.TABLE if each.events)


# --- What proxies ask before they get a certificate -------------------------------------------------------------------


def ask(domain: str = OWN, address: str = "127.0.0.1", *, method: str = "GET", **headers: str) -> int:
    headers = {"host": "127.0.0.1:8000"} | {name.replace("_", "-"): value for name, value in headers.items()}
    query = urlencode({"domain": domain})
    asked = Request(method, "/internal/tls-check", query, headers, BytesIO(), address)
    response = addresses.answer(asked, addresses.find(asked.path))
    assert response
    return response.status


@pytest.mark.usefixtures("own")
def test_a_proxy_gets_a_certificate_for_a_verified_domain() -> None:
    assert ask() == ask(OWN.upper()) == ask(method="HEAD") == 200


def test_it_gets_none_for_another(cast: Cast, settings: Settings) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, ingress=OWN)
    settings.ALLOWED_HOSTS = ["testserver", "*"]

    names = ("", ELSEWHERE, "testserver", "127.0.0.1", "a\0b", "é.example", "x" * 5_000, f"a.{OWN}")
    assert {ask(name) for name in (OWN, *names)} == {404}


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("query", ["", "domain", "domain=", "&" * 5_000, "a=b&" * 50, "domain=%ff", f"x={OWN}"])
def test_a_question_that_is_none_is_answered_no(query: str) -> None:
    asked = Request("GET", "/internal/tls-check", query, {"host": "127.0.0.1"}, BytesIO(), "127.0.0.1")

    response = addresses.answer(asked, addresses.find(asked.path))
    assert response
    assert response.status == 404


@pytest.mark.usefixtures("own")
def test_proxies_alone_are_answered(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24", "2001:db8::1"]

    assert {
        ask(address=address) for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.9", "2001:db8::1")
    } == {200}
    assert {ask(address=address) for address in ("203.0.113.7", "10.0.1.9", "2001:db8::2", "unknown")} == {404}


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip", "x_forwarded_proto"])
def test_whoever_comes_through_a_proxy_is_not_the_proxy(header: str) -> None:
    """Also where the operator trusts none, so that all callers seem to be the proxy."""
    assert ask(**{header: "127.0.0.1"}) == 404


@pytest.mark.usefixtures("own")
def test_it_is_asked_by_http_where_all_others_are_sent_to_https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert ask() == 200


@pytest.mark.usefixtures("own")
def test_another_method_is_told_which_there_are() -> None:
    assert ask(method="POST") == 405


@pytest.mark.usefixtures("own")
def test_made_up_names_cost_no_query_each(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        for number in range(50):
            ask(f"a{number}.example.com")


def test_a_domain_is_known_once_it_is_verified_and_no_longer(own: IngressDomain, cast: Cast) -> None:
    assert ask() == 200
    own.delete()
    assert ask() == 404
    upsert_ingress_domain(
        principal=OPERATOR,
        tenant_id=cast.shoes.pk,
        ingress=OWN,
        target_domain="gateway.example.net",
        look_up=lambda _: DnsAnswer(DnsOutcome.CNAME, "gateway.example.net"),
    )
    assert ask() == 200


@pytest.mark.usefixtures("own")
def test_what_another_process_changes_is_seen_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask() == 200
    IngressDomain.objects.update(status=IngressDomain.Status.PENDING)
    assert ask() == 200

    monkeypatch.setattr("accounts.own_domains.KEPT_SECONDS", 0.0)
    assert ask() == 404


@pytest.mark.usefixtures("own")
def test_without_the_database_those_of_before_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask() == 200
    forget_own_domains()
    monkeypatch.setattr(
        "accounts.own_domains.IngressDomain.objects", Mock(served=Mock(side_effect=OperationalError("away")))
    )

    assert (ask(), ask(ELSEWHERE)) == (200, 404)
