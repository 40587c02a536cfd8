"""When an API account was last used, and from where: noted in nobody's way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.last_use import last_uses
from accounts.models import ApiAccount
from accounts.services.forgetting import prune
from common.client_address import shortened
from tests.base import HUB, Cast, bearer, graphql
from tests.factories import ApiAccountFactory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ask(token: str) -> None:
    assert graphql(token, HUB, "{ viewer { kind } }").errors == []


def test_a_use_is_written_by_a_thread_of_its_own(cast: Cast) -> None:
    token = bearer(cast.robot)
    with time_machine.travel(NOON, tick=False), CaptureQueriesContext(connection) as queries:
        ask(token)
    assert not [query for query in queries.captured_queries if query["sql"].startswith("UPDATE")]

    last_uses.flush()

    cast.robot.refresh_from_db()
    assert (cast.robot.last_used_at, cast.robot.last_used_from) == (NOON, "127.0.0.0/24")


def test_a_key_is_noted_once_a_minute(cast: Cast) -> None:
    token = bearer(cast.robot)
    ask(token)
    assert last_uses.flush()
    ask(token)
    assert last_uses._held == {}


def test_a_rest_request_is_a_use(cast: Cast) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})
    assert client.get("/api/usage?from=2026-03-01&to=2026-03-02").status_code == 200
    assert set(last_uses._held) == {cast.robot.pk}


def test_a_token_that_was_taken_back_is_no_use(cast: Cast) -> None:
    token = bearer(cast.robot)
    ask(token)
    last_uses.reset()
    cast.robot.tokens.all().delete()

    assert graphql(token, HUB, "{ viewer { kind } }").refused(401)
    assert last_uses._held == {}


def test_another_process_has_written_it_within_the_minute(cast: Cast) -> None:
    ApiAccount.objects.update(last_used_at=NOON, last_used_from="192.0.2.0/24")
    with time_machine.travel(NOON + timedelta(seconds=10), tick=False):
        last_uses.note(cast.robot.pk, "203.0.113.9")
        last_uses.flush()
    cast.robot.refresh_from_db()
    assert cast.robot.last_used_from == "192.0.2.0/24"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("unknown", ""),
    ],
)
def test_an_address_is_kept_as_the_network_that_it_is_in(address: str, network: str) -> None:
    assert shortened(address) == network


def test_the_network_of_a_key_that_is_not_used_any_more_is_forgotten(cast: Cast, settings: Settings) -> None:
    kept = ApiAccountFactory.create(last_used_at=NOON, last_used_from="192.0.2.0/24")
    gone = ApiAccountFactory.create(last_used_at=NOON - timedelta(days=31), last_used_from="192.0.2.0/24")

    prune(NOON + timedelta(hours=1))

    networks = dict(ApiAccount.objects.values_list("pk", "last_used_from"))
    assert (networks[kept.pk], networks[gone.pk]) == ("192.0.2.0/24", "")
