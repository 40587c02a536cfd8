"""What browsers are told not to do: nothing inline runs, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from tests.base import Cast, login
from tests.factories import PixelFactory

POLICY = {
    "default-src": "'self'",
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


PAGES = sorted(set(pages(get_resolver().url_patterns)))


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
    page = Client().get("/nowhere/")

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
    assert "http" not in " ".join(policy.values())


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
