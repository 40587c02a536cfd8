"""Requests to POST /clients/token, and what every answer to them must look like."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

URL = "/clients/token"
FORM = "application/x-www-form-urlencoded"


class Sender(Protocol):
    """Posts a form as curl does."""

    def __call__(self, fields: Any, **headers: str) -> Response: ...


def post_urlencoded(fields: Any, **headers: str) -> Response:
    body = fields if isinstance(fields, str) else urlencode(fields)
    return Client(enforce_csrf_checks=True).post(URL, body, content_type=FORM, headers=headers)


def post_multipart(fields: Any, **headers: str) -> Response:
    return Client(enforce_csrf_checks=True).post(URL, fields, headers=headers)


both_forms = pytest.mark.parametrize("post", [post_urlencoded, post_multipart])


def basic(name: str, secret: str) -> str:
    """The Authorization header, its parts form-urlencoded first (§2.3.1)."""
    pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def body_of(response: Response) -> dict[str, Any]:
    body = json.loads(response.content)
    assert isinstance(body, dict)
    return body


def assert_refused(response: Response, status: int, error: str) -> None:
    """The form of every error."""
    body = body_of(response)
    assert (response.status_code, body["error"]) == (status, error)
    assert set(body) <= {"error", "error_description"}
    assert body.get("error_description", "").isascii()
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    # HTTP wants a 401 to name a scheme, the RFC the one that the client tried; Basic is the one there is.
    challenge = response.headers.get("WWW-Authenticate")
    assert challenge == ('Basic realm="API accounts", charset="UTF-8"' if status == 401 else None)


def cost_of(fields: dict[str, str]) -> list[str]:
    """The statements that a sign-in sends to the database, without their values."""
    with CaptureQueriesContext(connection) as queries:
        post_urlencoded(fields)
    return [query["sql"].partition("WHERE")[0] for query in queries]
