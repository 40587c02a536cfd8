"""Whatever worker is killed whenever, and whatever Meta answers: it ends up with one configuration of each pixel, the
newest, and with none of a pixel that is gone."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from accounts.principals import OPERATOR
from events.models import Registration, Removal
from events.registration.registrar import instance_id
from events.registration.wanted import wanted_of
from events.sandbox import Sandbox
from events.sandbox.registrations import EDGE
from events.sandbox.server import serve
from filters.reads import load_filter_set
from filters.services import update_event_filter
from pixels.models import Pixel
from pixels.services import connect_pixel, disconnect_pixel, set_publishing
from tests.base import tenant
from tests.instance import Instance

PIXELS = 12
KILLS = 12
SETTLE_SECONDS = 120

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def _connect(account: Tenant, number: int) -> None:
    connect_pixel(
        principal=OPERATOR, tenant_id=account.pk, pixel_id=str(100 + number), business_id="9", access_token="token"
    )


def _change_something(account: Tenant, chance: random.Random) -> None:
    """One of the things that people do."""
    number = chance.randrange(PIXELS)
    pixel = Pixel.objects.filter(pixel_id=str(100 + number)).first()
    act = chance.randrange(4)
    if pixel is None:
        _connect(account, number)
    elif act == 0:
        disconnect_pixel(principal=OPERATOR, tenant_id=account.pk, pixel_id=pixel.pixel_id)
    elif act == 1:
        set_publishing(principal=OPERATOR, tenant_id=account.pk, pixel_id=pixel.pixel_id, status=chance.randrange(2))
    elif act == 2:
        state = chance.choice(("DROP", "PUBLISH"))
        update_event_filter(principal=OPERATOR, tenant_id=account.pk, event_name="Lead", state=state)
    else:
        _connect(account, number)


def test_meta_knows_the_newest_of_each_pixel_and_nothing_of_others(tmp_path: Path, settings: Settings) -> None:
    account, chance, sandbox = tenant("Shoes"), random.Random(3), Sandbox(seed=3)
    sandbox.fail(edge=EDGE, code=2, probability=0.1)
    sandbox.fail(edge=EDGE, close=True, accept=True, probability=0.15)  # done, but the answer is lost
    sandbox.fail(edge=EDGE, delay_seconds=0.3, probability=0.7)
    with serve(sandbox) as graph_api:
        settings.GRAPH_API_URL = graph_api
        environment: dict[str, Any] = {"PUBLISH_TIMEOUT_SECONDS": 1, "LANE_LEASE_SECONDS": 4}
        with Instance(tmp_path, graph_api, BASE_URL=settings.BASE_URL, **environment) as instance:
            for number in range(PIXELS):
                _connect(account, number)
            instance.start_worker()
            for _ in range(KILLS):
                _wait_for_requests(sandbox, instance)
                until = time.monotonic() + chance.uniform(0, 4)
                while time.monotonic() < until:
                    _change_something(account, chance)
                    time.sleep(0.1)
                instance.kill("worker")
                instance.start_worker()
            sandbox.recover()
            _wait_until_told(instance)

    for pixel in Pixel.objects.select_related("tenant"):
        (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
        assert (
            node
            == {"id": node["id"], "business_id": "9"} | wanted_of(pixel, load_filter_set(pixel), instance_id()).fields
        )
        assert Registration.objects.get(pixel=pixel).node == node["id"]
    assert len(sandbox.registrations.all()) == Pixel.objects.count()
    codes = [request.code for request in sandbox.registrations.requests]
    print(f"{len(codes)} requests, {sum(code != 0 for code in codes)} of them failed, {KILLS} kills")  # noqa: T201


def _wait_for_requests(sandbox: Sandbox, instance: Instance) -> None:
    """A worker that was started is at work."""
    before, deadline = len(sandbox.registrations.requests), time.monotonic() + 40
    Registration.objects.update(due_at=timezone.now(), told="")
    while len(sandbox.registrations.requests) == before:
        assert time.monotonic() < deadline, instance.log("worker")
        time.sleep(0.05)


def _wait_until_told(instance: Instance) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        # Whoever has failed often waits long: nobody here has that time.
        Registration.objects.filter(state="WAITING", claim=None).update(due_at=timezone.now())
        Removal.objects.filter(claim=None).update(due_at=timezone.now())
        undone = Q(claim__isnull=False) | ~Q(state="REGISTERED") | Q(due_at__lte=timezone.now())
        if not (Registration.objects.filter(undone).exists() or Removal.objects.exists()):
            return
        time.sleep(0.5)
    left = list(Registration.objects.values()), Removal.objects.count()
    raise AssertionError(f"{left} {instance.log('worker')}")
