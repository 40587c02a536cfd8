"""The access key: in its own field, or where the Graph API's clients have room for it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import ask, purchase, stored
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking() -> Pixel:
    """A pixel that requires its access key."""
    return PixelFactory.create(require_access_key=True, access_key="the key")


@pytest.fixture
def open_to_all() -> Pixel:
    return PixelFactory.create(access_key="the key")


def status(pixel: Pixel, body: dict[str, Any] | None = None, query: dict[str, str] | None = None) -> int:
    path = f"/v24.0/{pixel.pixel_id}/events?{urlencode(query or {})}"
    return ask("POST", path, json.dumps({"data": [purchase()], **(body or {})}).encode()).status


@pytest.mark.parametrize("field", ["accessKey", "access_token"])
def test_a_required_key_may_come_in_the_tokens_place(asking: Pixel, field: str) -> None:
    assert status(asking, body={field: "the key"}) == 200
    assert status(asking, query={field: "the key"}) == 200
    assert status(asking, body={field: "wrong"}) == 401
    assert status(asking, query={field: "wrong"}) == 401
    assert status(asking) == 401


@pytest.mark.parametrize("query", [{"access_token": "the key"}, {"accessKey": "the key"}])
def test_the_right_key_is_found_whatever_stands_in_other_places(asking: Pixel, query: dict[str, str]) -> None:
    (field,) = query

    assert status(asking, body={field: "unused"}, query=query) == 200
    assert status(asking, body={"access_token": "unused"}, query=query) == 200
    assert status(asking, query={str(number): "x" for number in range(150)} | query) == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "OAuth"])
def test_a_header_may_bring_it(asking: Pixel, scheme: str) -> None:
    def with_header(text: str, **body: str) -> int:
        content = json.dumps({"data": [purchase()], **body}).encode()
        path = f"/v24.0/{asking.pixel_id}/events"
        return ask("POST", path, content, headers={"Authorization": text}).status

    assert with_header(f"{scheme} the key") == 200
    assert with_header(f"{scheme} the key", access_token="unused") == 200
    assert with_header(f"{scheme} the key", accessKey="wrong") == 401
    assert with_header(f"{scheme} wrong") == 401
    assert with_header("Basic the key") == 401


def test_a_form_may_bring_it_too(asking: Pixel) -> None:
    form = urlencode({"access_token": "the key", "data": json.dumps([json.dumps(purchase())])}).encode()

    path = f"/v24.0/{asking.pixel_id}/events"

    assert ask("POST", path, form, "application/x-www-form-urlencoded").status == 200
    assert ask("POST", f"/capi/{asking.pixel_id}/events", form, "application/x-www-form-urlencoded").status == 202


def test_where_no_key_is_required_a_token_is_ignored(open_to_all: Pixel) -> None:
    assert status(open_to_all, body={"access_token": "EAAB"}, query={"access_token": "EAAB"}) == 200
    assert status(open_to_all, body={"access_token": ["odd"]}) == 200


def test_a_wrong_key_is_refused_where_none_is_required_too(open_to_all: Pixel) -> None:
    assert status(open_to_all, query={"accessKey": "wrong"}) == 401


def test_the_key_goes_before_the_token(asking: Pixel) -> None:
    assert status(asking, body={"accessKey": "the key", "access_token": "EAAB"}) == 200
    assert status(asking, body={"accessKey": "wrong", "access_token": "the key"}) == 401


@pytest.mark.parametrize("token", ["", 17, ["the key"], {"a": "b"}, None, "é"])
def test_of_an_odd_token_nothing_is_believed(asking: Pixel, token: Any) -> None:
    assert status(asking, body={"access_token": token}) == 401


@pytest.mark.parametrize(
    "query", ["%", "access_token", "access_token=%ff", "=", "&" * 500, "a=b&" * 500, "access_token=%00"]
)
def test_an_odd_query_does_no_harm(asking: Pixel, open_to_all: Pixel, query: str) -> None:
    body = json.dumps({"data": [purchase()]}).encode()

    assert ask("POST", f"/17/events?{query}", body).status == 404
    assert ask("POST", f"/{asking.pixel_id}/events?{query}", body).status == 401
    assert ask("POST", f"/{open_to_all.pixel_id}/events?{query}", body).status == 200


def test_no_token_is_stored(open_to_all: Pixel) -> None:
    status(open_to_all, body={"access_token": "EAAB-secret"}, query={"access_token": "EAAB-secret"})

    assert "secret" not in json.dumps(stored(open_to_all))
    assert "secret" not in "".join(OutboxRow.objects.values_list("options", flat=True))
