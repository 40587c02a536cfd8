"""During an upgrade, processes of the release before run on the new schema, and lose and miscount nothing.

The database is this version's. Web servers and workers of both releases are real processes on it, and share a broker,
as they do while one replaces the other (docs/decisions/0024-the-store.md).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.db.models import Model, Sum
from django.utils import timezone

from events.models import (
    Counter,
    DeadLetter,
    Delivery,
    Identity,
    Lane,
    OutboxRow,
    Registration,
    Road,
    SeenId,
    SeenLabel,
)
from events.sandbox import Sandbox
from events.sandbox.server import serve
from pixels.models import Pixel
from scripts.checkouts import PACKAGES, checkout, previous_release, python_of
from tests.base import HUB, bearer, tenant
from tests.factories import ApiAccountFactory, DomainFilterFactory, EventFilterFactory, PixelFactory
from tests.instance import Instance
from tests.isolation.victim import make_victim
from tests.operations import HUB_DOCUMENTS
from tests.slow.test_kill import TOTALS as ALL_TOTALS
from tests.slow.test_kill import Sender, assert_all_arrived, assert_counted_once, stored

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: A filter drops events of this name.
BLOCKED = "Blocked"
TOTALS = ("received", "published", "dropped_by_event_filter", "failed")
OF_BROWSERS = ("browser_received", "browser_published", "browser_dropped", "browser_failed")
NONE_OF_BROWSERS = dict.fromkeys(OF_BROWSERS, 0)


@pytest.fixture(scope="module")
def previous() -> Path:
    """The folder of the previous release, with its packages."""
    try:
        commit = previous_release()
    except LookupError as reason:
        if os.environ.get("TEST_REQUIRE_HISTORY", "") not in ("", "0"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    return checkout(commit, PACKAGES)


@dataclass
class Upgrade:
    """Both releases, beside each other; ``good`` is a pixel that Meta takes events for, ``bad`` one that it refuses."""

    old: Instance
    new: Instance
    sandbox: Sandbox
    good: Pixel
    bad: Pixel

    @property
    def old_knows_roads(self) -> bool:
        """Later than the release before roads, both tell them apart."""
        return (self.old.tree / "events/intake/browser_door.py").exists()

    def by_browsers(self, **columns: int) -> dict[str, int]:
        """What an old worker counts as the browser's: nothing, while it knows no roads."""
        return {**NONE_OF_BROWSERS, **columns} if self.old_knows_roads else NONE_OF_BROWSERS

    def drain(self) -> None:
        """Wait until the workers that run have settled everything."""
        self.wait_until(lambda: not OutboxRow.objects.exists())

    def has_sent(self, events: int) -> bool:
        return self.sandbox.received_count >= events

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.1)

    def _logs(self) -> str:
        return "\n".join(log.read_text("utf-8", "replace")[-3_000:] for log in self.old.folder.parent.rglob("*.log"))


@pytest.fixture
def upgrade(previous: Path, tmp_path: Path) -> Iterator[Upgrade]:
    account = tenant("Shoes")
    good, bad = PixelFactory.create_batch(2, tenant=account)
    EventFilterFactory.create(tenant=account, event_name=BLOCKED)
    with both(previous, tmp_path) as (old, new, sandbox):
        sandbox.fail(code=100, subcode=2804003, pixel_id=bad.pixel_id)
        yield Upgrade(old, new, sandbox, good, bad)


@contextmanager
def both(previous: Path, folder: Path) -> Iterator[tuple[Instance, Instance, Sandbox]]:
    """An instance of each release, whose processes are yet to be started, and the stand-in for Meta."""
    settings: dict[str, Any] = {"DATA_DIR": folder, "PUBLISH_TIMEOUT_SECONDS": 1, "LANE_LEASE_SECONDS": 4}
    sandbox = Sandbox(seed=20)
    with (
        serve(sandbox) as graph_api,
        Instance(folder / "old", graph_api, tree=previous, **settings) as old,
        Instance(folder / "new", graph_api, **settings) as new,
    ):
        yield old, new, sandbox


def send_as_server(instance: Instance, pixel: Pixel, *names: str) -> None:
    """Post one request with an event of each name; it is taken."""
    data = [
        {
            "event_name": name,
            "event_id": f"server-{place}",
            "event_time": int(time.time()),
            "action_source": "website",
            "event_source_url": "https://shop.example.com/",
            "user_data": {"client_user_agent": "Test", "em": "ada@example.com"},
        }
        for place, name in enumerate(names)
    ]
    assert httpx.post(f"{instance.url}/capi/{pixel.pixel_id}/events", json={"data": data}).status_code == 202


def send_as_browser(instance: Instance, pixel: Pixel, *names: str) -> None:
    """Post a request for each name, as the Meta Pixel does; all are taken."""
    for place, name in enumerate(names):
        body = {
            "event_name": name,
            "event_id": f"browser-{place}",
            "fb.pixel_id": pixel.pixel_id,
            "fb.advanced_matching": {"em": "ada@example.com"},
            "website_context": {"location": "https://shop.example.com/"},
        }
        assert httpx.post(f"{instance.url}/events?cee=no", json=body).status_code == 200


def figures(pixel: Pixel, columns: tuple[str, ...]) -> dict[str, int]:
    """The pixel's totals, which every span and dimension tells alike."""
    told = []
    for span in Counter.Span:
        for dimension in Counter.Dimension:
            rows = Counter.objects.filter(pixel=pixel, span=span, dimension=dimension)
            told.append({column: number or 0 for column, number in rows.aggregate(*map(Sum, columns)).items()})
    assert all(each == told[0] for each in told), told
    return {column.removesuffix("__sum"): number for column, number in told[0].items()}


def total(received: int, *, published: int = 0, dropped: int = 0, failed: int = 0) -> dict[str, int]:
    return dict(zip(TOTALS, (received, published, dropped, failed), strict=True))


def roads(model: Any) -> set[int]:
    return set(model.objects.values_list("road", flat=True))


def test_the_old_release_takes_in_and_publishes(upgrade: Upgrade) -> None:
    upgrade.old.start_web()
    upgrade.old.start_worker()

    send_as_server(upgrade.old, upgrade.good, "Lead", "Purchase?", BLOCKED)
    send_as_server(upgrade.old, upgrade.bad, "Lead")
    upgrade.drain()

    assert {each["event_name"] for each in upgrade.sandbox.received} == {"Lead", "Purchase?"}
    assert figures(upgrade.good, TOTALS) == total(3, published=2, dropped=1)
    assert figures(upgrade.bad, TOTALS) == total(1, failed=1)
    assert figures(upgrade.good, OF_BROWSERS) == figures(upgrade.bad, OF_BROWSERS) == NONE_OF_BROWSERS
    assert (Delivery.objects.count(), DeadLetter.objects.count()) == (4, 1)
    assert roads(Delivery) | roads(DeadLetter) == {Road.SERVER}


def test_the_old_worker_settles_what_the_new_intake_took_in(upgrade: Upgrade) -> None:
    """A browser's events count in the totals, and as the server's."""
    upgrade.new.start_web()
    send_as_browser(upgrade.new, upgrade.good, "Lead", "ViewContent", BLOCKED)
    send_as_browser(upgrade.new, upgrade.bad, "Lead")
    send_as_server(upgrade.new, upgrade.good, "Lead", BLOCKED)
    assert roads(OutboxRow) == {Road.SERVER, Road.BROWSER}

    upgrade.old.start_worker()
    upgrade.drain()

    assert sorted(each["event_id"] for each in upgrade.sandbox.received) == ["browser-0", "browser-1", "server-0"]
    assert figures(upgrade.good, TOTALS) == total(5, published=3, dropped=2)
    assert figures(upgrade.bad, TOTALS) == total(1, failed=1)
    assert figures(upgrade.good, OF_BROWSERS) == upgrade.by_browsers(
        browser_received=3, browser_published=2, browser_dropped=1
    )
    assert (Delivery.objects.count(), DeadLetter.objects.count()) == (6, 1)
    if not upgrade.old_knows_roads:
        assert roads(Delivery) | roads(DeadLetter) == {Road.SERVER}


def test_the_new_worker_settles_what_the_old_intake_took_in(upgrade: Upgrade) -> None:
    upgrade.old.start_web()
    send_as_server(upgrade.old, upgrade.good, "Lead", "ViewContent", BLOCKED)
    send_as_server(upgrade.old, upgrade.bad, "Lead")

    upgrade.new.start_worker()
    upgrade.drain()

    assert sorted(each["event_id"] for each in upgrade.sandbox.received) == ["server-0", "server-1"]
    assert figures(upgrade.good, TOTALS) == total(3, published=2, dropped=1)
    assert figures(upgrade.bad, TOTALS) == total(1, failed=1)
    assert figures(upgrade.good, OF_BROWSERS) == figures(upgrade.bad, OF_BROWSERS) == NONE_OF_BROWSERS
    assert roads(Delivery) | roads(DeadLetter) == {Road.SERVER}


def test_what_the_old_worker_counted_and_could_not_send_the_new_worker_sends(upgrade: Upgrade) -> None:
    """The row keeps its road: what the old worker counted as received, the new one publishes as the browser's."""
    upgrade.sandbox.fail(code=2, pixel_id=upgrade.good.pixel_id)
    upgrade.new.start_web()
    send_as_browser(upgrade.new, upgrade.good, "Lead", BLOCKED)
    upgrade.old.start_worker()
    upgrade.wait_until(lambda: OutboxRow.objects.filter(counted=True).exists())
    upgrade.old.kill("worker")
    assert list(OutboxRow.objects.values_list("counted", "road")) == [(True, Road.BROWSER)]

    upgrade.sandbox.recover()
    Lane.objects.update(retry_at=None)
    upgrade.new.start_worker()
    upgrade.drain()

    assert [each["event_id"] for each in upgrade.sandbox.received] == ["browser-0"]
    assert figures(upgrade.good, TOTALS) == total(2, published=1, dropped=1)
    counted = upgrade.by_browsers(browser_received=2, browser_dropped=1)
    assert figures(upgrade.good, OF_BROWSERS) == {**counted, "browser_published": 1}


def test_both_releases_at_once_under_kills(upgrade: Upgrade) -> None:
    """Senders post to both web servers, workers of both releases share the lanes, and each is killed in turn."""
    pixel_ids = [pixel.pixel_id for pixel in PixelFactory.create_batch(3, tenant=upgrade.good.tenant)]
    DomainFilterFactory.create(tenant=upgrade.good.tenant, domain="staging.example.com")
    upgrade.sandbox.fail(code=2, probability=0.05)
    instances = (upgrade.old, upgrade.new)
    for instance in instances:
        instance.start_web()
        instance.start_worker()
    senders = [Sender(instance.url, pixel_ids, seed) for seed, instance in enumerate(instances)]
    for sender in senders:
        sender.start()
    for instance in instances * 2:
        wanted = upgrade.sandbox.received_count + 50
        upgrade.wait_until(partial(upgrade.has_sent, wanted))
        instance.kill("worker")
        instance.start_worker()
    for sender in senders:
        sender.enough.set()
        sender.join(20)
    upgrade.sandbox.recover()
    upgrade.drain()

    requests = [request for sender in senders for request in sender.sent]
    assert_all_arrived(upgrade.sandbox, requests)
    assert_counted_once(upgrade.sandbox, requests, ALL_TOTALS)
    by_browsers = sum(request.by_browser for request in stored(upgrade.sandbox, requests))
    totals = Counter.objects.filter(span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
    assert totals.aggregate(n=Sum("browser_received"))["n"] <= by_browsers
    assert by_browsers


def test_the_old_release_does_its_daily_work_beside_new_tables_and_deletes_an_account(
    previous: Path, tmp_path: Path
) -> None:
    """Its scheduled tasks run, and it can delete an account of which tables hold rows that it does not know."""
    victim = make_victim()
    Identity.objects.create(pixel=victim.pixel, key="0" * 64, identifiers={}, seen_at=timezone.now())
    Delivery.objects.create(
        pixel=victim.pixel, at=timezone.now(), outcome=Delivery.Outcome.PUBLISHED, event_name="Lead"
    )
    Registration.objects.get_or_create(pixel=victim.pixel)
    SeenId.objects.create(pixel=victim.pixel, digest=17, server_at=timezone.now())
    SeenLabel.objects.create(pixel=victim.pixel, dimension=1, label="Lead", last_seen=timezone.now())
    assert [model for model in tables_of_pixels() if not model._default_manager.exists()] == [], "they need a row here"
    token = bearer(ApiAccountFactory.create(name="Robot"))
    with both(previous, tmp_path) as (old, _, _):
        command = [python_of(previous), "-c", _SCHEDULED]
        done = subprocess.run(command, cwd=previous, env=old.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        old.start_web()
        answer = httpx.post(
            f"{old.url}{HUB}",
            json={"query": HUB_DOCUMENTS["deleteTenant"], "variables": {"tenantId": victim.tenant.pk}},
            headers={"Authorization": f"Bearer {token}"},
        )

    assert answer.json() == {"data": {"tenantMutations": {"deleteTenant": True}}}, old.log("web")
    assert not Pixel.objects.exists()


def tables_of_pixels() -> list[type[Model]]:
    """Models whose rows go with a pixel."""
    return [
        model
        for model in apps.get_models()
        if any(field.related_model is Pixel for field in model._meta.concrete_fields)
    ]


_SCHEDULED = """
import django
django.setup()
from portal.celery import app
app.loader.import_default_modules()
for entry in app.conf.beat_schedule.values():
    app.tasks[entry["task"]].apply(throw=True)
"""
