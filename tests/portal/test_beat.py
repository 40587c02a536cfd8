"""The scheduler, when the clock is set back."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from portal.beat import Scheduler
from portal.celery import app


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that the scheduler has sent."""
    sent: list[str] = []

    def note(self: Scheduler, entry: Any, producer: Any = None) -> None:
        sent.append(entry.task)

    monkeypatch.setattr(Scheduler, "apply_entry", note)
    return sent


def test_it_goes_on_from_the_time_that_it_is_now(sent: list[str]) -> None:
    with time_machine.travel(1_800_000_010, tick=False) as clock:
        scheduler = Scheduler(app, lazy=True)
        scheduler.update_from_dict(app.conf.beat_schedule)

        def run(seconds: int) -> None:
            for _ in range(seconds):
                clock.shift(1)
                while scheduler.tick() == 0:
                    pass

        run(60)
        before = sent.count("events.tasks.sweep")
        assert before >= 10
        clock.shift(-3_600)
        run(60)

        assert sent.count("events.tasks.sweep") - before >= 10

        run(300)
        assert "events.tasks.refresh_usage" in sent
