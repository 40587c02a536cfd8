"""The primary dies under load and its standby takes over: nothing that was accepted is lost, or counted twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import tenant
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.slow.load import Ask, Load, browser_event_for, events_for
from tests.slow.patroni import patroni
from tests.slow.servers import PrivatePostgres, private_postgres
from tests.slow.test_faults_postgres import (
    assert_counted_once,
    faults,
    wait_for_arrivals,
    wait_until_all_arrived,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TIMES: dict[str, Any] = {"PUBLISH_TIMEOUT_SECONDS": 1, "LANE_LEASE_SECONDS": 4}
#: From the moment at which the standby may be written to.
BACK_SECONDS = 10


def test_a_standby_takes_over_under_load(tmp_path: Path) -> None:
    asks = kinds()
    with private_postgres() as primary:
        standby = primary.with_standby()

        def crash_and_promote() -> None:
            primary.stop("immediate")
            standby.promote()

        try:
            assert_survived(tmp_path, asks, (primary, standby), crash_and_promote)
        finally:
            standby.stop("immediate")


def test_patroni_promotes_a_standby_under_load(tmp_path: Path) -> None:
    """Nobody does anything: the primary and its Patroni are gone, and the standby's Patroni notices."""
    asks = kinds()
    with patroni() as (primary, standby):

        def crash() -> None:
            primary.kill()
            standby.wait_until("primary")

        assert_survived(tmp_path, asks, (primary, standby), crash)


def kinds() -> dict[str, Ask]:
    """What is asked; the pixel must be there before the database is copied."""
    if connection.vendor != "postgresql":
        pytest.skip("shown where the tests run on PostgreSQL")
    pixel_id = PixelFactory.create(tenant=tenant("Shoes")).pixel_id
    return {"events": events_for(pixel_id), "browser": browser_event_for(pixel_id)}


def assert_survived(
    folder: Path, asks: dict[str, Ask], pair: tuple[PrivatePostgres, PrivatePostgres], fail: Callable[[], None]
) -> None:
    """An instance goes on when ``fail`` takes the primary away, and returns once the standby may be written to."""
    sandbox = Sandbox()
    with serve(sandbox) as graph_api, Instance(folder, graph_api, DATABASE_URL=both(*pair), **TIMES) as instance:
        instance.start_worker()
        instance.start_web()
        fail_over(instance, sandbox, Load(instance.url, asks), fail)
        assert_counted_once(pair[1], sandbox)


def fail_over(instance: Instance, sandbox: Sandbox, load: Load, fail: Callable[[], None]) -> None:
    processes = instance.web_workers()
    with load.running():
        wait_for_arrivals(sandbox, instance, load)
        fail()
        promoted = time.monotonic()
        time.sleep(BACK_SECONDS)
        wait_for_arrivals(sandbox, instance, load)
    wait_until_all_arrived(sandbox, instance, load)

    after = load.between(promoted + BACK_SECONDS)
    assert after
    assert {each.status for each in after} <= {200, 202}, faults(after)
    assert not [each for each in load.answers if each.status == 500]
    assert instance.web_workers() == processes, "the web server was started again"
    back = min(each.ended for each in load.between(promoted) if each.status in (200, 202))
    print(f"events were taken again {back - promoted:.2f} s after the standby was promoted")  # noqa: T201


def both(primary: PrivatePostgres, standby: PrivatePostgres) -> str:
    """The URL of both servers."""
    return f"postgres://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/portal"
