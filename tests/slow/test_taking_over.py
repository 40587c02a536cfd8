"""Deploys under load: one web server takes over from another, and no caller notices."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.base import tenant
from tests.events.sending import stored
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.slow.load import Load, accepted, browser_event_for, events_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TIMES = 10
#: So many requests a second, at most, on a connection that is kept; and as many on a new one each.
RATE = 25


def test_ten_deploys_refuse_no_request_and_lose_no_event(tmp_path: Path) -> None:
    pixel = PixelFactory.create(tenant=tenant("Shoes"))
    with Instance(tmp_path, "http://127.0.0.1:9") as instance:
        instance.start_web()
        kept = Load(instance.url, {"server": events_for(pixel.pixel_id)}, pause=1 / RATE)
        new = Load(instance.url, {"browser": browser_event_for(pixel.pixel_id)}, pause=1 / RATE, keep_alive=False)
        with kept.running(), new.running():
            for taken_over in range(1, TIMES + 1):
                os.kill(instance.pid("web"), signal.SIGHUP)
                wait_for(instance, taken_over)
            time.sleep(1)
        assert instance.stop("web") == 0

    answers = kept.answers + new.answers
    assert [each for each in answers if each.status not in (200, 202)] == []
    assert len(answers) > 20 * TIMES
    assert {event["event_id"] for row in stored(pixel) for event in row} == accepted(answers)


def test_a_kept_connection_closes_after_an_answer_and_never_before_one(tmp_path: Path) -> None:
    with Instance(tmp_path, "http://127.0.0.1:9") as instance:
        instance.start_web()
        with closing(HTTPConnection(instance.url.removeprefix("http://"), timeout=60)) as caller:
            ask(caller)
            os.kill(instance.pid("web"), signal.SIGHUP)
            while ask(caller) != "close":
                time.sleep(0.05)


def ask(caller: HTTPConnection) -> str | None:
    """What the answer says of the connection, which the caller does not open anew."""
    caller.auto_open = 0 if caller.sock else 1
    caller.request("GET", "/livez")
    answer = caller.getresponse()
    answer.read()
    return answer.headers["Connection"]


def wait_for(instance: Instance, taken_over: int) -> None:
    deadline = time.monotonic() + 60
    log = instance.folder / "web.log"
    while log.read_text().count("A new web server has taken over.") < taken_over:
        assert time.monotonic() < deadline, instance.log("web")
        time.sleep(0.1)
