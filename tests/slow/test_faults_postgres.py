"""PostgreSQL goes away and comes back: nothing that was accepted is lost, and nobody has to start anything again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import RoleLevel
from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import bearer, login, person, tenant
from tests.factories import ApiAccountFactory, PixelFactory
from tests.instance import Instance
from tests.slow.load import Answered, Ask, Load, accepted, browser_event_for, events_for, hub_query, send, token_for
from tests.slow.servers import PrivatePostgres, private_postgres

THREADS = 4
AWAY_SECONDS = 3
#: An answer takes no longer while the server is away. The pool alone would wait for three seconds.
SOON = 2.5

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@contextmanager
def instance_with_load(folder: Path) -> Iterator[tuple[PrivatePostgres, Instance, Sandbox, dict[str, Ask]]]:
    """An instance on a server of its own, and one request of each kind."""
    if connection.vendor != "postgresql":
        pytest.skip("shown where the tests run on PostgreSQL")
    shoes = tenant("Shoes")
    pixel_id = PixelFactory.create(tenant=shoes).pixel_id
    token = bearer(ApiAccountFactory.create())
    session = login(person("hanna", None, RoleLevel.ADMIN)).cookies[settings.SESSION_COOKIE_NAME].value
    asks = {
        "events": events_for(pixel_id),
        "browser": browser_event_for(pixel_id),
        "graphql": hub_query(token),
        "page": Ask("GET", "/hub/", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}),
        "token": token_for(create_api_account(principal=OPERATOR, name="Shop")),
        "usage": Ask("GET", "/api/usage?from=2026-01-01&to=2026-01-02", headers={"Authorization": f"Bearer {token}"}),
        "health": Ask("GET", "/healthz"),
    }
    sandbox = Sandbox()
    with (
        private_postgres() as postgres,
        serve(sandbox) as graph_api,
        Instance(
            folder,
            graph_api,
            DJANGO_SETTINGS_MODULE="tests.served",
            DATABASE_URL=postgres.url,
            WEB_THREADS=THREADS,
            PIXEL_SETTINGS_TTL_SECONDS=0,  # so that the dead connection is met by reading them
            PUBLISH_TIMEOUT_SECONDS=1,
            LANE_LEASE_SECONDS=4,
            API_RATE_LIMIT=0,
            ADDRESS_RATE_LIMIT=0,
            BROWSER_ADDRESS_RATE_LIMIT=0,
        ) as instance,
    ):
        instance.start_worker()
        instance.start_web()
        yield postgres, instance, sandbox, asks


def test_postgresql_goes_away_under_load_and_comes_back(tmp_path: Path) -> None:
    with instance_with_load(tmp_path) as (postgres, instance, sandbox, asks):
        processes = instance.web_workers()
        load = Load(instance.url, asks)
        with load.running():
            wait_for_arrivals(sandbox, instance, load)
            for mode in ("fast", "immediate"):
                go_away_and_come_back(postgres, load, mode)
                wait_for_arrivals(sandbox, instance, load)
        wait_until_all_arrived(sandbox, instance, load)

        assert instance.web_workers() == processes, "the web server was started again"
        assert not [each for each in load.answers if each.status == 500]
        assert "Internal error" not in (tmp_path / "web.log").read_text()
        assert_counted_once(postgres, sandbox)


def go_away_and_come_back(postgres: PrivatePostgres, load: Load, mode: Literal["fast", "immediate"]) -> None:
    postgres.stop(mode)
    gone = time.monotonic()
    time.sleep(AWAY_SECONDS)
    returns = time.monotonic()
    postgres.start()
    back = time.monotonic() + 0.5  # whom the old state has refused meanwhile has heard it by then
    time.sleep(AWAY_SECONDS)

    for kind in load.asks:
        away = [each for each in load.between(gone, returns) if each.kind == kind]
        assert away, f"no {kind} was answered while PostgreSQL was away"
        assert {each.status for each in away} == {503}, (mode, kind, faults(away))
        assert max(each.ended - each.began for each in away) < SOON, (mode, kind)
        if kind != "health":
            assert all(int(each.headers["Retry-After"]) > 0 for each in away), kind
        after = [each for each in load.between(back) if each.kind == kind]
        assert {each.status for each in after} == {202 if kind == "events" else 200}, (mode, kind, faults(after))
    assert_says_so(load.between(gone, returns))


def assert_says_so(away: list[Answered]) -> None:
    """Each in the form of its address."""
    said = {each.kind: each.text for each in away}
    assert json.loads(said["events"])["error"]["code"] == 2
    assert [error["extensions"]["code"] for error in json.loads(said["graphql"])["errors"]] == [503]
    assert json.loads(said["browser"])["error"]["code"] == 2
    assert json.loads(said["token"])["error"] == "temporarily_unavailable"
    assert json.loads(said["usage"])["error"]["code"] == 503
    assert json.loads(said["health"]) == {"status": "unavailable", "reason": "database does not answer"}
    assert "The portal cannot reach its data" in said["page"]


def test_a_restart_in_a_quiet_moment_is_noticed_by_nobody(tmp_path: Path) -> None:
    """Each thread of the web server has a connection that the restart has cut off."""
    with instance_with_load(tmp_path) as (postgres, instance, _, asks):
        everything(instance, asks)
        for mode in ("fast", "immediate"):
            postgres.stop(mode)
            postgres.start()

            answers = everything(instance, asks)

            assert {each.status for each in answers} == {200, 202}, (mode, faults(answers))


def everything(instance: Instance, asks: dict[str, Ask]) -> list[Answered]:
    """All kinds of requests at once, more than there are threads; events first, since only they leave a connection
    with the thread.
    """
    first = [("events", asks["events"])] * (3 * THREADS)
    with (
        httpx.Client(base_url=instance.url, timeout=20) as client,
        ThreadPoolExecutor(2 * THREADS) as pool,
    ):
        answers = list(pool.map(lambda each: send(client, *each), first))
        return answers + list(pool.map(lambda each: send(client, *each), list(asks.items()) * THREADS))


def faults(answers: list[Answered]) -> list[tuple[int, str, str]]:
    return [(each.status, each.fault, each.text[:200]) for each in answers if each.status not in (200, 202)][:5]


def wait_for_arrivals(sandbox: Sandbox, instance: Instance, load: Load) -> None:
    """Until an event arrives that is accepted from now on."""
    before, deadline = accepted(list(load.answers)), time.monotonic() + 30
    while not {event["event_id"] for event in sandbox.received} - before:
        assert time.monotonic() < deadline, instance.log("worker") + instance.log("web")
        time.sleep(0.1)


def wait_until_all_arrived(sandbox: Sandbox, instance: Instance, load: Load) -> None:
    due, deadline = accepted(load.answers), time.monotonic() + 30
    assert due
    while missing := due - {event["event_id"] for event in sandbox.received}:
        assert time.monotonic() < deadline, f"{len(missing)} are lost: {instance.log('worker')}"
        time.sleep(0.1)


def assert_counted_once(postgres: PrivatePostgres, sandbox: Sandbox) -> None:
    """What has arrived is what was stored: with 202, or just before the server went away."""
    deadline = time.monotonic() + 15
    with psycopg.connect(postgres.url, autocommit=True) as database:
        while database.execute("SELECT count(*) FROM events_outboxrow").fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        sums = database.execute(
            "SELECT span, sum(received), sum(published) FROM events_counter WHERE dimension = 0 GROUP BY span"
        ).fetchall()
    arrived = len({event["event_id"] for event in sandbox.received})
    assert [each[1:] for each in sums] == [(arrived, arrived)] * 3
