"""Who a request comes from: a bearer token, or a session of the web UI."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.authentication import principal_from_bearer, principal_from_session
from accounts.models import AccessToken, RoleLevel, User
from tests.base import Cast, bearer


def session_of(user: User | AnonymousUser) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_a_token_signs_its_api_account_in_as_host_admin(cast: Cast) -> None:
    principal = principal_from_bearer(bearer(cast.robot))
    assert principal is not None
    assert principal.api_account == cast.robot
    assert principal.host_level == RoleLevel.ADMIN
    assert principal.user is None
    assert not principal.is_system


def test_a_token_costs_one_query(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token = bearer(cast.robot)
    with django_assert_num_queries(1):
        principal = principal_from_bearer(token)
        assert principal is not None
        assert principal.label == "API account Robot"


def test_a_token_is_good_until_the_moment_it_expires(cast: Cast) -> None:
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as clock:
        token = bearer(cast.robot, lifetime=timedelta(hours=10))
        clock.shift(10 * 3600 - 1)
        assert principal_from_bearer(token) is not None
        clock.shift(1)
        assert principal_from_bearer(token) is None


@pytest.mark.parametrize("token", ["", "unknown", "\0", "\ud800", "ü" * 10_000])
def test_other_text_signs_nobody_in(cast: Cast, token: str) -> None:
    bearer(cast.robot)
    assert principal_from_bearer(token) is None


def test_what_the_database_holds_is_no_token(cast: Cast) -> None:
    bearer(cast.robot)
    assert principal_from_bearer(AccessToken.objects.get().token_hash) is None


def test_a_session_brings_the_persons_roles(cast: Cast) -> None:
    principal = principal_from_session(session_of(cast.ada))
    assert principal is not None
    assert principal.user == cast.ada
    assert principal.tenant_levels == {cast.shoes.pk: RoleLevel.ADMIN}
    assert principal.host_level is None


def test_without_a_session_nobody_is_signed_in(cast: Cast) -> None:
    assert principal_from_session(session_of(AnonymousUser())) is None


@pytest.mark.parametrize("status", [User.Status.DEACTIVATED, User.Status.PENDING])
def test_only_active_people_are_signed_in(cast: Cast, status: User.Status) -> None:
    cast.ada.status = status
    assert principal_from_session(session_of(cast.ada)) is None


def test_a_temporary_person_is_signed_in_until_the_last_day_ends(cast: Cast) -> None:
    cast.ada.expires_on = timezone.now().date()
    assert principal_from_session(session_of(cast.ada)) is not None
    cast.ada.expires_on -= timedelta(days=1)
    assert principal_from_session(session_of(cast.ada)) is None
