"""What browsers are told not to do: nothing inline runs, nothing is loaded from elsewhere, nothing goes by http."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch
from pytest_django import Settings

from accounts.services.passwords import change_password
from common import http
from portal import rsgi
from portal.addresses import find
from tests.base import Cast, client_of, login
from tests.factories import PixelFactory
from tests.rsgi import ask_as

POLICY = {
    "default-src": "'self'",
    "script-src": "http://testserver/static/",
    "style-src": "http://testserver/static/",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
LOADING = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "form": "action",
    "source": "src",
    "use": "href",
}
TEMPLATES = sorted(file for file in (settings.ROOT / "templates").rglob("*.html") if "email" not in file.parent.name)


class Inline(HTMLParser):
    """Collects what the policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [f"{tag} {name}" for name in values if name == "style" or re.match(r"(hx-)?on[:a-z]", name)]
        if tag == "style" or (tag == "script" and "src" not in values and values.get("type") != "application/json"):
            self.found.append(tag)
        address = values.get(LOADING.get(tag, ""))
        if address and urlsplit(address).netloc:
            self.found.append(f"{tag} {address}")


def refused(html: str) -> list[str]:
    parser = Inline()
    parser.feed(html)
    return parser.found


def pages(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    """The address of every named page that needs no argument, but for Django admin's."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from pages(pattern.url_patterns, inner)
        elif pattern.name:
            try:
                yield reverse(f"{namespace}{pattern.name}")
            except NoReverseMatch:
                continue


#: A frame with a policy of its own (tests/browser/test_data_filter.py).
FRAME = reverse("pipelines:filter_trial")
PAGES = sorted(set(pages(get_resolver().url_patterns)) - {FRAME})


def directives(header: str) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


@pytest.mark.parametrize("address", PAGES)
def test_every_page_forbids_what_is_inline_or_from_elsewhere(cast: Cast, address: str) -> None:
    PixelFactory.create(tenant=cast.shoes)
    for client in (Client(), login(cast.hanna)):
        for query in ("", f"?tenant={cast.shoes.pk}"):
            page = client.get(f"{address}{query}")
            assert directives(page.headers["Content-Security-Policy"]) == POLICY
            assert page.status_code < 500
            if page.headers.get("Content-Type", "").startswith("text/html") and not page.streaming:
                assert refused(page.content.decode()) == []


def test_errors_too(cast: Cast) -> None:
    page = Client().get("/nowhere/", headers={"accept": "text/html"})

    assert page.status_code == 404
    assert directives(page.headers["Content-Security-Policy"]) == POLICY
    assert refused(page.content.decode()) == []


def test_a_form_without_its_token_is_told_so_in_our_look(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/auth/login/", {"login": "ada@example.com", "password": "x"})

    assert page.status_code == 403
    assert "This form was too old" in page.content.decode()
    assert directives(page.headers["Content-Security-Policy"]) == POLICY


def test_admin_is_refused_other_sites_too(cast: Cast) -> None:
    policy = directives(login(cast.hanna).get("/admin/").headers["Content-Security-Policy"])

    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "http://testserver/static/ http://testserver/admin/jsi18n/ 'unsafe-eval'"
    assert policy["style-src"] == "http://testserver/static/"


@pytest.mark.parametrize("host", ["portal.example.com", "portal.example.com:8443"])
def test_scripts_come_from_the_host_that_was_asked(db: None, settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    page = Client().get("/auth/login/", headers={"host": host}, secure=True)

    assert directives(page.headers["Content-Security-Policy"])["script-src"] == f"https://{host}/static/"


def test_a_host_that_is_none_of_ours_has_a_policy_too(db: None, settings: Settings) -> None:
    page = Client().get("/auth/login/", headers={"host": "elsewhere.example.com"})

    assert page.status_code == 400
    policy = directives(page.headers["Content-Security-Policy"])
    assert policy["script-src"] == f"{settings.BASE_URL}/static/"


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(settings.ROOT / "templates")))
def test_no_template_has_what_the_policy_refuses(file: Path) -> None:
    # Conditional parts too, which no test may happen to show.
    assert refused(re.sub(r"{[%#].*?[%#]}", "", file.read_text("utf-8"), flags=re.DOTALL)) == []


def test_the_search_for_inline_things_finds_them() -> None:
    assert refused('<p style="a"><script>b</script><a onclick="c" hx-on:click="d"><img src="https://e.example/f">') == [
        "p style",
        "script",
        "a onclick",
        "a hx-on:click",
        "img https://e.example/f",
    ]


def test_scripts_and_styles_of_ours_name_no_other_site() -> None:
    files = [file for kind in ("css", "js") for file in (settings.ROOT / "static" / kind).iterdir()]

    assert files
    assert [file.name for file in files if re.search(r"https?://|\beval\(|new Function", file.read_text("utf-8"))] == []


# --- At every door, whatever it answers ------------------------------------------------------------------------------

DOORS = [
    ("GET", "/auth/login/", 200),
    ("GET", "/hub/", 302),
    ("GET", "/nowhere/", 404),
    ("GET", "/admin/", 302),
    ("GET", "/api/docs", 200),
    ("GET", "/api/openapi.json", 200),
    ("GET", "/api/usage", 401),
    ("GET", "/healthz", 200),
    ("GET", "/livez", 200),
    ("POST", "/auth/login/", 403),
    ("POST", "/hub/graphql/", 401),
    ("POST", "/capig/graphql/", 401),
    ("GET", "/clients/token", 405),
    ("POST", "/clients/token", 400),
    ("POST", "/capi/1/events", 404),
    ("GET", "/capi/1/events", 405),
    ("GET", "/sdk/events.js", 200),
    ("GET", "/static/css/portal.css", 200),
]


@pytest.fixture
def strict(settings: Settings) -> Iterator[None]:
    """The application as a careful operator runs it: https and nothing else, in production."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    settings.WHITENOISE_USE_FINDERS = True
    http.security_headers.cache_clear()  # another test's settings made them
    importlib.reload(rsgi)
    yield
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS, settings.WHITENOISE_USE_FINDERS = False, 0, False
    importlib.reload(rsgi)  # other tests ask the application as it was
    http.security_headers.cache_clear()


def ask(method: str, path: str, *, https: bool = True) -> tuple[int, dict[str, str]]:
    request = RequestFactory().generic(
        method, path, b"{}" if method == "POST" else b"", content_type="application/json", secure=https
    )
    answer = ask_as(request.environ)
    names = [name.lower() for name, _ in answer.headers]
    assert len(set(names)) == len(names)  # each is said once
    return answer.status, dict(answer.headers)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "status"), DOORS)
def test_every_answer_has_the_headers_that_keep_browsers_safe(
    strict: None, method: str, path: str, status: int
) -> None:
    answered, headers = ask(method, path)

    assert answered in (status, 503 if path == "/healthz" else status)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    if not path.startswith("/static/"):  # which no page is
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers
    assert "X-Powered-By" not in headers


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "status"), DOORS)
def test_without_https_there_is_nothing_but_the_way_to_it(strict: None, method: str, path: str, status: int) -> None:
    answered, headers = ask(method, path, https=False)

    if path in ("/healthz", "/livez"):
        assert answered in (200, 503), "load balancers ask by http"
        return
    # A 301 would turn software's POST into a GET.
    assert answered == (308 if find(path) else 301)
    assert headers["Location"] == f"https://testserver{path}"
    assert "Strict-Transport-Security" not in headers, "which browsers are to believe by https alone"


def test_a_fault_of_ours_has_them_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ValueError

    monkeypatch.setattr("accounts.views.tenants.render", fail)
    client = login(cast.hanna)
    client.raise_request_exception = False
    page = client.get("/hub/")

    assert page.status_code == 500
    assert directives(page.headers["Content-Security-Policy"]) == POLICY
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] == "DENY"


def test_every_cookie_is_kept_to_https_and_to_our_own_pages(cast: Cast, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    client = Client()
    client.get("/auth/login/")
    change_password(user=cast.ada, password="a password of the tests")
    client.post("/auth/login/", {"login": cast.ada.email, "password": "a password of the tests"}, secure=True)
    client.post("/i18n/setlang/", {"language": "es"}, secure=True)

    assert {"sessionid", "csrftoken", "django_language"} <= set(client.cookies)
    for name, cookie in client.cookies.items():
        if cookie.value:
            assert cookie["secure"], name
            assert cookie["samesite"] == "Lax", name
            assert not cookie["domain"], name
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["django_language"]["httponly"]


def test_no_api_sets_a_cookie(cast: Cast) -> None:
    for path in ("/hub/graphql/", "/capig/graphql/", "/clients/token", "/capi/1/events"):
        assert not Client().post(path, {}, content_type="application/json").cookies


def test_answers_with_somebodys_data_are_kept_by_nobody(cast: Cast) -> None:
    for answer in (
        login(cast.hanna).get("/hub/"),
        client_of(cast.robot).post("/hub/graphql/", {"query": "{ __typename }"}, content_type="application/json"),
        client_of(cast.robot).get("/api/usage?from=2026-03-01&to=2026-03-01"),
    ):
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]
