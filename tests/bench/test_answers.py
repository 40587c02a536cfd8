"""Portal and peers are asked for the same; nothing is timed where one answers otherwise."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bench import answers
from bench.answers import Asked

PERSON = {"id": "u", "email": "ada@example.com", "isSelf": False, "defaultTenantId": "T"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What is answered, by address."""
    said: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(httpx, "post", lambda url, **options: httpx.Response(200, json=said[url]))
    return said


def test_equal_answers_pass(said: dict[str, dict[str, Any]]) -> None:
    said["portal"] = {"data": {"tenantQueries": {"account": {"total": 5.0}}}}
    said["peer"] = {"data": {"total": 5}}

    answers.compare({"portal": Asked("portal", "", answers.portal_pixels), "peer": Asked("peer", "")})


def test_the_first_difference_is_named(said: dict[str, dict[str, Any]]) -> None:
    said["portal"] = {"data": {"users": [{"email": "ada@example.com"}, {"email": "max@example.com"}]}}
    said["peer"] = {"data": {"users": [{"email": "ada@example.com"}, {"email": None}]}}

    with pytest.raises(RuntimeError, match=r"peer answers otherwise than portal: answer.users\[1\].email is None"):
        answers.compare({"portal": Asked("portal", ""), "peer": Asked("peer", "")})


def test_an_error_is_no_answer(said: dict[str, dict[str, Any]]) -> None:
    said["portal"] = {"data": {"tenant": None}, "errors": [{"message": "hidden"}]}

    with pytest.raises(RuntimeError, match="hidden"):
        answers.compare({"portal": Asked("portal", "")})


def test_postgraphiles_account_in_the_portals_shape(said: dict[str, dict[str, Any]]) -> None:
    membership = {
        "roleName": "advertiser-view-T",
        "roleDisplayName": "view",
        "canBeDeleted": True,
        "user": {**PERSON, "memberships": [{"tenant": {"id": "T"}}]},
    }
    pixels = {"totalActivePixels": 1, "totalInactivePixels": 0, "totalPixels": 1}
    said["5"] = {"data": {"tenant": {"id": "T", "users": [membership], "usage": {**pixels, "publishError": False}}}}

    assert answers.postgraphile_account("5", 5).answer() == {
        "tenant": {
            "id": "T",
            "users": [
                {
                    **PERSON,
                    "roles": [{"name": "advertiser-view-T", "displayName": "view"}],
                    "tenants": [{"id": "T"}],
                    "canBeDeleted": True,
                }
            ],
            "tenantUsage": {**pixels, "tenantUsageByTraffic": {"publishError": False}},
        }
    }
