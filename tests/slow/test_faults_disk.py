"""The disk is full where SQLite is: senders are told so, nothing is half-written, and with room all goes on."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import RoleLevel
from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import bearer, login, person, tenant
from tests.factories import ApiAccountFactory, PixelFactory
from tests.instance import Instance
from tests.slow.load import Answered, Ask, accepted, events_for, hub_query, send

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MEGABYTES = 12
CREATE = {
    "query": "mutation ($input: CreateTenantInput!) { tenantMutations { createTenant(input: $input) { __typename } } }",
    "variables": {"input": {"name": "Boots", "canPartnerManage": True, "eventEnrichment": False}},
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "portal-tests", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def copy_database(folder: Path) -> Path:
    """The test's database on the small disk."""
    copy = folder / "portal.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    return copy


def fill(folder: Path) -> Path:
    """Leave no room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_refuses_events_and_loses_none(tmp_path: Path, small_disk: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("shown where the tests run on SQLite")
    pixel_id = PixelFactory.create(tenant=tenant("Shoes")).pixel_id
    token = bearer(ApiAccountFactory.create())
    session = login(person("hanna", None, RoleLevel.ADMIN)).cookies[settings.SESSION_COOKIE_NAME].value
    database, sandbox = copy_database(small_disk), Sandbox()
    asks = {
        "events": larger(events_for(pixel_id)),
        "graphql": hub_query(token),
        "write": Ask("POST", "/hub/graphql/", lambda: CREATE, hub_query(token).headers),
        "page": Ask("GET", "/hub/", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}),
    }
    with (
        serve(sandbox) as graph_api,
        Instance(
            tmp_path,
            graph_api,
            DJANGO_SETTINGS_MODULE="tests.served",
            DATABASE_URL=f"sqlite:///{database}",
            PUBLISH_TIMEOUT_SECONDS=1,
            LANE_LEASE_SECONDS=4,
        ) as instance,
        httpx.Client(base_url=instance.url, timeout=30) as client,
    ):
        instance.start_web()
        answers = [send(client, "events", asks["events"]) for _ in range(3)]
        assert {each.status for each in answers} == {202}

        ballast = fill(small_disk)
        while answers[-1].status == 202:  # into what the database has of room itself
            answers.append(send(client, "events", asks["events"]))
            assert len(answers) < 300
        full = [send(client, kind, ask) for _ in range(5) for kind, ask in asks.items()]
        answers += full
        assert_told(full)

        instance.start_worker()  # which can settle nothing now
        time.sleep(5)
        ballast.unlink()
        answers += [send(client, kind, ask) for kind, ask in asks.items()]
        assert [each.status for each in answers[-4:]] == [202, 200, 200, 200]
        wait_until_arrived(sandbox, instance, accepted(answers))
        assert {event["event_id"] for event in sandbox.received} == accepted(answers)
    with closing(sqlite3.connect(database)) as opened:
        opened.create_function("REGEXP", 2, lambda pattern, text: bool(re.search(pattern, text)))  # in constraints
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def larger(ask: Ask) -> Ask:
    """The same event with much to store."""

    def body() -> dict[str, Any] | None:
        made = ask.body()
        assert made
        made["data"][0]["custom_data"] |= {"note": "x" * 50_000}
        return made

    return Ask(ask.method, ask.path, body, ask.headers)


def assert_told(full: list[Answered]) -> None:
    """Nobody is told that it is our fault, and whose request could not be done is told to come again."""
    kinds = ("events", "graphql", "write", "page")
    told = {kind: {each.status for each in full if each.kind == kind} for kind in kinds}
    assert told["events"] == {503}
    assert told["write"] <= {200, 503}  # a small change may find room in a page that is there
    assert told["graphql"] == told["page"] == {200}, "reading needs no room"
    assert all(int(each.headers["Retry-After"]) > 0 for each in full if each.status == 503)


def wait_until_arrived(sandbox: Sandbox, instance: Instance, due: set[str]) -> None:
    deadline = time.monotonic() + 40
    while due - {event["event_id"] for event in sandbox.received}:
        assert time.monotonic() < deadline, instance.log("worker")
        time.sleep(0.2)
