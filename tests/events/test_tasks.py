"""The tasks, their schedule, and the embedded broker that brings them."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from celery import current_app
from django.db import connections
from django.utils import timezone
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.exceptions import OperationalError
from pytest_django import Settings

from events import tasks
from events.delivery import batches, lanes, publishing, rounds, turns
from events.models import Lane, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from portal import broker, broker_redis, logs
from tests.events.outbox import counted, purchase, put
from tests.factories import PixelFactory


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pixels for which a task was sent."""
    pixels: list[int] = []
    monkeypatch.setattr(tasks.drain, "delay", pixels.append)
    return pixels


@pytest.fixture
def pixels(sandbox: Sandbox, db: None) -> list[Pixel]:
    return list(PixelFactory.create_batch(4))


def test_the_application_is_ours_in_every_process(settings: Settings) -> None:
    assert current_app.main == "portal"
    assert current_app.conf.worker_pool == "threads"
    assert current_app.conf.worker_concurrency == 4 * settings.WORKER_THREADS
    assert {"sweep", "drain", "drain_many", "refresh_usage", "prune"} <= {
        name.removeprefix("events.tasks.") for name in current_app.tasks
    }


def test_the_schedule_names_tasks_that_exist(settings: Settings) -> None:
    current_app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in current_app.tasks


def test_a_wake_up_publishes_the_first_pixel_and_sends_a_task_for_each_other(
    pixels: list[Pixel], sent: list[int], sandbox: Sandbox
) -> None:
    for pixel in pixels[:3]:
        put(pixel, purchase())
    tasks.drain_many([pixel.pk for pixel in pixels])
    assert sandbox.received_by_pixel == {pixels[0].pixel_id: 1}
    assert sent == [pixels[1].pk, pixels[2].pk]


def test_a_wake_up_for_nothing_does_nothing(pixels: list[Pixel], sent: list[int], sandbox: Sandbox) -> None:
    tasks.drain_many([pixels[0].pk, 10**9])
    tasks.drain_many([])
    assert (sent, list(sandbox.requests)) == ([], [])


def test_the_sweep_sends_a_task_for_each_pixel_that_waits(pixels: list[Pixel], sent: list[int]) -> None:
    for pixel in pixels[1:3]:
        put(pixel, purchase(), counted=True)
    tasks.sweep()
    assert sorted(sent) == [pixels[1].pk, pixels[2].pk]


def test_a_sweep_sends_no_more_than_can_be_worked_on_before_the_next(
    pixels: list[Pixel], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SWEEP_MAX", 2)
    for pixel in pixels:
        put(pixel, purchase())
    for _ in range(40):
        tasks.sweep()
    assert len(sent) == 80
    assert set(sent) == {pixel.pk for pixel in pixels}


def test_a_pixel_that_used_up_its_time_queues_up_again(
    pixels: list[Pixel], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pixels[0], purchase())
    monkeypatch.setattr(rounds, "TIME_BOX_SECONDS", -1.0)
    tasks.drain(pixels[0].pk)
    assert sent == [pixels[0].pk]


@pytest.mark.parametrize(("others", "left"), [(set(), 0), ({0}, 2)])
def test_a_process_with_several_pixels_in_hand_lets_others_have_them_after_a_batch(
    pixels: list[Pixel], sent: list[int], monkeypatch: pytest.MonkeyPatch, others: set[int], left: int
) -> None:
    for _ in range(3):
        put(pixels[0], purchase())
    monkeypatch.setattr(batches, "MAX_EVENTS", 1)
    monkeypatch.setattr(rounds, "SHARED_SECONDS", -1.0)
    monkeypatch.setattr(turns, "in_hand", others)

    tasks.drain(pixels[0].pk)

    assert OutboxRow.objects.count() == left
    assert sent == [pixels[0].pk] * bool(left)
    assert lanes.claim(pixels[0].pk) is not None


def test_a_pixel_that_another_thread_works_on_stays_in_hand(pixels: list[Pixel]) -> None:
    turns.in_hand.add(pixels[0].pk)
    put(pixels[0], purchase())
    assert lanes.claim(pixels[0].pk)

    tasks.drain(pixels[0].pk)

    assert turns.in_hand == {pixels[0].pk}
    turns.in_hand.clear()


def test_a_task_that_fails_leaves_its_rows_to_a_later_sweep(
    pixels: list[Pixel], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError

    put(pixels[0], purchase())
    monkeypatch.setattr(publishing, "load_filter_set", broken)
    with pytest.raises(RuntimeError):
        tasks.drain(pixels[0].pk)
    tasks.sweep()
    assert sent == []
    with time_machine.travel(timezone.now() + timedelta(seconds=3)):
        tasks.sweep()
    assert sent == [pixels[0].pk]


# --- the embedded broker ----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    options = broker.transport_options("filesystem://", folder)
    with Connection("filesystem://", transport_options=options) as connection:
        yield connection


QUEUE = Queue("portal")


def send(connection: Connection, body: Any) -> None:
    connection.Producer().publish(body, exchange="", routing_key=QUEUE.name, declare=[QUEUE])


def receive(connection: Connection) -> Any:
    message = QUEUE(connection.default_channel).get()
    if message is None:
        return None
    message.ack()
    return message.payload


def test_messages_arrive_in_order_and_leave_nothing(connection: Connection, folder: Path) -> None:
    for number in range(12):
        send(connection, {"pixel": number})
    assert [receive(connection) for _ in range(13)] == [*({"pixel": number} for number in range(12)), None]
    assert not list(folder.glob("*.msg"))
    assert folder.stat().st_mode & 0o077 == 0


def test_without_a_worker_the_folder_does_not_grow(
    connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "MAX_WAITING", 5)
    for number in range(8):
        send(connection, number)
    assert len(list(folder.glob("*.msg"))) == 5
    assert [receive(connection) for _ in range(6)] == [0, 1, 2, 3, 4, None]
    send(connection, 8)
    assert receive(connection) == 8


def test_a_folder_that_cannot_be_written_is_an_error_of_the_broker(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    options = broker.transport_options("filesystem://", tmp_path / "file")
    with (
        Connection("filesystem://", transport_options=options) as connection,
        pytest.raises((OperationalError, OSError)),
    ):
        send(connection, 1)


class FakeRedis:
    """As much of Redis as adding to a list takes."""

    def __init__(self) -> None:
        self.lists: dict[str, list[str]] = {}

    def lpush(self, key: str, value: str) -> None:
        self.lists.setdefault(key, []).insert(0, value)

    def ltrim(self, key: str, first: int, last: int) -> None:
        self.lists[key] = self.lists[key][first : last + 1]


def test_redis_keeps_the_newest_wake_ups_and_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeRedis()
    channel = object.__new__(broker_redis.Channel)
    channel._expires = {}
    monkeypatch.setattr(broker_redis, "MAX_WAITING", 3)
    monkeypatch.setattr(broker_redis.Channel, "conn_or_acquire", lambda self: nullcontext(client))
    for number in range(5):
        channel._put("portal.tasks", {"number": number, "properties": {}})
    assert [json.loads(each)["number"] for each in client.lists["portal.tasks"]] == [4, 3, 2]


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://localhost"])
def test_redis_is_used_through_the_bounded_transport(url: str) -> None:
    assert Connection(url).get_transport_cls() is broker_redis.Transport


def test_rabbitmq_is_told_how_many_wake_ups_to_keep(settings: Settings) -> None:
    (queue,) = settings.CELERY_TASK_QUEUES
    assert queue.as_dict()["max_length"] == broker.MAX_WAITING


def test_instances_on_one_broker_have_queues_of_their_own() -> None:
    assert [broker.queue(prefix).name for prefix in ("portal", "shoes")] == ["portal.tasks", "shoes.tasks"]


# --- the worker, as it runs -------------------------------------------------------------------------------------------


def test_a_task_that_fails_is_logged_without_the_words_of_its_exception(
    pixels: list[Pixel], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ValueError("ada@example.com")

    put(pixels[0], purchase())
    monkeypatch.setattr(publishing, "load_filter_set", broken)
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.json_formatter())
    logging.getLogger("celery.app.trace").addHandler(handler)
    try:
        # An id that has the address's first letters in it, as a made-up one has now and then.
        tasks.drain.apply((pixels[0].pk,), task_id="5f3ada10-0000-4000-8000-000000000000")
    finally:
        logging.getLogger("celery.app.trace").removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert line["event"].startswith("Task events.tasks.drain[")
    assert line["event"].endswith("raised unexpected")
    assert line["exception"][0]["type"] == "ValueError"
    assert "ada@" not in stream.getvalue()
    assert "example.com" not in stream.getvalue()


@pytest.fixture
def worker(sandbox: Sandbox, tmp_path: Path, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A worker with its scheduler, on the database of the tests and a broker of its own."""
    name = str(connections["default"].settings_dict["NAME"])
    here = urlsplit(os.environ.get("DATABASE_URL", ""))
    url = here._replace(path=f"/{name}").geturl() if here.scheme else f"sqlite:///{name}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "DATA_DIR": str(tmp_path),
        "CELERY_BROKER_URL": "filesystem://",
        "GRAPH_API_URL": settings.GRAPH_API_URL,
    }
    command = [sys.executable, "-m", "celery", "--app", "portal", "worker", "--beat"]
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment, cwd=settings.ROOT, stderr=log, stdout=log, text=True)
        try:
            wait_until(lambda: "ready." in (tmp_path / "log").read_text() or process.poll() is not None)
            assert process.poll() is None, (tmp_path / "log").read_text()
            yield process
        finally:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It takes too long."
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_finds_by_itself_what_nobody_told_it_of_and_stops_in_good_order(
    worker: subprocess.Popen[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    pixel = PixelFactory.create()
    put(pixel, purchase())
    wait_until(lambda: sandbox.received_count == 1 and not OutboxRow.objects.exists())
    assert counted(pixel) == {"received": 1, "published": 1}

    # Asked to stop while a request is under way, it settles and releases.
    sandbox.fail(delay_seconds=2, times=1)
    put(pixel, *[purchase() for _ in range(1_000)])
    put(pixel, purchase())
    wait_until(lambda: Lane.objects.exclude(claim=None).exists())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert counted(pixel) == {"received": 1_002, "published": 1_001}
    assert OutboxRow.objects.get().counted
    assert Lane.objects.get().claim is None
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert '"error"' not in (tmp_path / "log").read_text()
