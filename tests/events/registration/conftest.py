"""An instance that browsers can reach, with the sandbox in Meta's place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from events import tasks
from events.models import Registration
from events.sandbox import Sandbox
from events.sandbox.registrations import Request
from pixels.models import Pixel

Sweep = Callable[..., None]


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.BASE_URL = "https://gateway.example.com"


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Do what is due, as the schedule and the worker would; ``after`` so much time."""
    monkeypatch.setattr(tasks.tell_meta, "delay", tasks.tell_meta)
    monkeypatch.setattr(tasks.remove_from_meta, "delay", tasks.remove_from_meta)

    def run(after: timedelta = timedelta()) -> None:
        with time_machine.travel(timezone.now() + after):
            tasks.keep_registered()

    return run


def told(sandbox: Sandbox) -> list[Request]:
    """What was asked of the edge, but for looking at it."""
    return [request for request in sandbox.registrations.requests if request.method != "GET"]


def row_of(pixel: Pixel) -> Registration:
    """The pixel's registration as it is now."""
    return Registration.objects.get(pixel=pixel)
