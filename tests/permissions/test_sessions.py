"""People call the API from the browser in which they signed in: the session cookie counts, with Django's CSRF token."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.base import HUB, Answer, Cast, bearer, graphql, login, snapshot
from tests.operations import HUB_DOCUMENTS, run

CSRF_TOKEN = "t" * 32


def _rename(client: Client, cast: Cast, **headers: str) -> Answer:
    variables = {"input": {"tenantId": cast.shoes.pk, "name": "Renamed"}}
    return graphql(client, HUB, HUB_DOCUMENTS["updateTenant"], variables, **headers)


def test_a_session_with_a_csrf_token_may_change(cast: Cast) -> None:
    client = login(cast.ada, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = CSRF_TOKEN

    answer = _rename(client, cast, **{"X-CSRFToken": CSRF_TOKEN})

    assert (answer.status, answer.errors) == (200, [])


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "o" * 32}], ids=["missing", "wrong"])
def test_a_session_without_the_csrf_token_is_refused_and_changes_nothing(cast: Cast, headers: dict[str, str]) -> None:
    client = login(cast.ada, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = CSRF_TOKEN
    before = snapshot()

    answer = _rename(client, cast, **headers)

    assert answer.refused(401)
    assert "CSRF" in answer.message
    assert snapshot() == before


def test_a_session_without_the_csrf_token_may_not_even_read(cast: Cast) -> None:
    client = login(cast.ada, enforce_csrf_checks=True)

    assert run(client, "tenant", tenantId=cast.shoes.pk).refused(401)


def test_a_bearer_token_needs_no_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {bearer(cast.robot)}"})

    answer = _rename(client, cast)

    assert (answer.status, answer.errors) == (200, [])


def test_a_bad_bearer_token_is_refused_even_beside_a_good_session(cast: Cast) -> None:
    client = login(cast.ada)

    answer = _rename(client, cast, Authorization="Bearer wrong")

    assert answer.refused(401)


@pytest.mark.parametrize("authorization", ["Basic Um9ib3Q6c2VjcmV0", "Token x", f"Bearer {'x' * 5000}"])
def test_an_authorization_that_we_do_not_know_is_nobody(db: None, authorization: str) -> None:
    answer = graphql(Client(headers={"Authorization": authorization}), HUB, "{ viewer { kind } }")

    assert answer.refused(401)


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Bearer a b", "Bearer \xff"])
def test_a_malformed_bearer_token_is_an_invalid_request(db: None, authorization: str) -> None:
    """RFC 6750, section 3.1."""
    answer = graphql(Client(headers={"Authorization": authorization}), HUB, "{ viewer { kind } }")

    assert answer.refused(400)


def test_the_scheme_is_written_in_any_case(cast: Cast) -> None:
    client = Client(headers={"Authorization": f"bearer {bearer(cast.robot)}"})

    assert run(client, "viewer").data["viewer"]["apiAccount"] == "Robot"


def test_the_session_of_a_deactivated_person_ends_at_once(cast: Cast) -> None:
    client = login(cast.ada)
    User.objects.filter(pk=cast.ada.pk).update(status=User.Status.DEACTIVATED)

    assert run(client, "viewer").refused(401)


def test_a_temporary_person_may_call_until_the_end_of_the_last_day(cast: Cast) -> None:
    client = login(cast.ada)
    today: date = timezone.now().date()

    User.objects.filter(pk=cast.ada.pk).update(expires_on=today)
    assert run(client, "viewer").errors == []

    User.objects.filter(pk=cast.ada.pk).update(expires_on=today - timedelta(days=1))
    assert run(client, "viewer").refused(401)


def test_a_token_lasts_until_its_end_and_dies_with_its_api_account(cast: Cast) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})
    assert run(client, "viewer").errors == []

    cast.robot.delete()

    assert run(client, "viewer").refused(401)
