"""Where a request sends the browser: to a page of ours, whichever of our doors is asked."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.http import urlencode
from pytest_django import Settings

from accounts.web import is_own_address
from tests.base import Cast, login
from tests.factories import PixelFactory

PASSWORD = "correct horse battery staple"
ELSEWHERE = [
    "http://localhost/",
    "http://localhost:9999/x",
    "http://127.0.0.1/",
    "//localhost/",
    "http://testserver/x",
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "///evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "http://localhost:8000@evil.example/",
    "http://localhost:8000.evil.example/",
]

#: What each door answers where ``next`` is this: the address to go to.
Door = Callable[[Cast, str], str]


def _sign_in(cast: Cast, url: str) -> str:
    answer = Client().post("/auth/login/", {"login": cast.ada.email, "password": PASSWORD, "next": url})
    return answer.headers["Location"]


def _sign_in_by_query(cast: Cast, url: str) -> str:
    client = Client()
    answer = client.post(f"/auth/login/?{_query(url)}", {"login": cast.ada.email, "password": PASSWORD})
    return answer.headers["Location"]


def _already_signed_in(cast: Cast, url: str) -> str:
    return login(cast.ada).get(f"/auth/login/?{_query(url)}").headers["Location"]


def _sign_out(cast: Cast, url: str) -> str:
    return login(cast.ada).post("/auth/logout/", {"next": url}).headers["Location"]


def _reauthenticate(cast: Cast, url: str) -> str:
    return login(cast.ada).post("/auth/reauthenticate/", {"password": PASSWORD, "next": url}).headers["Location"]


def _language(cast: Cast, url: str) -> str:
    return Client().post("/i18n/setlang/", {"language": "es", "next": url}).headers["Location"]


def _language_by_get(cast: Cast, url: str) -> str:
    return Client().get(f"/i18n/setlang/?{_query(url)}").headers["Location"]


def _see_as(cast: Cast, url: str) -> str:
    return login(cast.hanna).post("/see-as/", {"user_pk": str(cast.vic.pk), "next": url}).headers["Location"]


def _end_seeing_as(cast: Cast, url: str) -> str:
    client = login(cast.hanna)
    client.post("/see-as/", {"user_pk": str(cast.vic.pk)})
    return client.post("/see-as/end/", {"next": url}).headers["Location"]


def _came_from(cast: Cast, url: str) -> str:
    client = login(cast.hanna)
    client.post("/see-as/", {"user_pk": str(cast.vic.pk)}, headers={"Referer": url})
    return client.post("/see-as/end/").headers["Location"]


def _pixel(cast: Cast, url: str) -> str:
    pixel = PixelFactory.create(tenant=cast.shoes)
    page = f"/hub/capig/pixels/{pixel.pixel_id}/deactivate/?tenant={cast.shoes.pk}"
    return login(cast.ada).post(page, {"next": url}).headers["Location"]


def _query(url: str) -> str:
    return urlencode({"next": url})


DOORS = [
    *(_sign_in, _sign_in_by_query, _already_signed_in, _sign_out, _reauthenticate, _language, _language_by_get),
    *(_see_as, _end_seeing_as, _pixel),
]


@pytest.fixture
def ready(cast: Cast) -> Cast:
    cast.ada.set_password(PASSWORD)
    cast.ada.save()
    return cast


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__.strip("_"))
def test_no_door_leads_elsewhere(ready: Cast, door: Door, subtests: pytest.Subtests) -> None:
    for url in ELSEWHERE:
        with subtests.test(url=url):
            cache.clear()
            assert re.match(r"/(?![/\\])", door(ready, url))


@pytest.mark.parametrize("url", ELSEWHERE[:4] + ELSEWHERE[5:8])
def test_nor_does_the_page_that_a_request_came_from(ready: Cast, url: str) -> None:
    assert _came_from(ready, url) == "/hub/"


@pytest.mark.parametrize("url", ["/hub/capig/?tenant=x", "http://localhost:8000/hub/capig/?tenant=x"])
@pytest.mark.parametrize("door", [_sign_in, _already_signed_in])
def test_every_door_leads_to_our_own_pages(ready: Cast, door: Door, url: str) -> None:
    """By path, or by BASE_URL, which the tests leave at http://localhost:8000."""
    assert door(ready, url) == url


def test_with_https_no_address_without_it_is_ours(settings: Settings) -> None:
    settings.BASE_URL = "https://gateway.example.com"

    assert is_own_address("https://gateway.example.com/hub/")
    assert not is_own_address("http://gateway.example.com/hub/")
    assert not is_own_address("")
