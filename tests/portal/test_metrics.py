"""GET /metrics."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from common import env
from events.models import Lane
from portal import metrics
from tests.base import Cast, bearer
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.told import Told

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-twenty-signs-and-more"


@pytest.fixture
def watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(metrics.Standing, "kept", (float("-inf"), []))


def read(text: str) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def measured() -> dict[tuple[str, ...], float]:
    told = Told("GET", "/metrics", Authorization=f"Bearer {TOKEN}")
    assert (told.status, told.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    return read(told.body.decode())


# --- Who may see them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", ["", "Bearer other", f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x"])
def test_to_others_they_are_not_there(watched: None, authorization: str) -> None:
    told = Told("GET", "/metrics", Authorization=authorization)

    assert (told.status, told.json["error"]["message"]) == (404, "There is nothing at this address.")


def test_where_nobody_is_named_they_are_there_for_nobody(cast: Cast) -> None:
    assert Told("GET", "/metrics").status == 404
    assert Told("GET", "/metrics", Authorization="Bearer ").status == 404
    assert Told("GET", "/metrics", Authorization=f"Bearer {bearer(cast.robot)}").status == 404


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 200), ("10.0.0.0/8", 404)])
def test_networks_that_are_allowed_need_no_token(settings: Settings, network: str, status: int) -> None:
    settings.METRICS_ALLOWED_NETWORKS = [network]

    assert Told("GET", "/metrics").status == status


def test_they_take_no_post(watched: None) -> None:
    told = Told("POST", "/metrics", "{}", Authorization=f"Bearer {TOKEN}")

    assert (told.status, told.headers["Allow"]) == (405, "GET, HEAD")


# --- What they tell --------------------------------------------------------------------------------------------------


def test_what_waits_is_told_by_state_with_the_age_of_the_oldest(watched: None) -> None:
    for state, changes in {"new": {}, "retry": {"failures": 2}, "held": {"held": True, "failures": 3}}.items():
        pixel = PixelFactory.create()
        Lane.objects.create(pixel=pixel, **changes)
        row = put(pixel, purchase(), purchase())
        row.received_at = timezone.now() - timedelta(seconds={"new": 100, "retry": 200, "held": 300}[state])
        row.save()

    told = measured()

    for state, age in {"new": 100, "retry": 200, "held": 300}.items():
        assert told["portal_waiting_events", "pixel", state] == 2
        assert told["portal_waiting_oldest_seconds", "pixel", state] == pytest.approx(age, abs=30)
    assert told["portal_waiting_events", "source", "new"] == 0
    assert told["portal_lanes", "pixel", "held"] == 1
    assert told["portal_lanes", "pixel", "retrying"] == 1
    assert told["portal_dead_letters", "pixel"] == 0


def test_the_database_is_asked_once_in_a_while(watched: None, django_assert_num_queries: Any) -> None:
    measured()

    with django_assert_num_queries(0):
        measured()


def test_no_label_names_a_pixel_or_an_account(watched: None, cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    Told("POST", f"/capi/{pixel.pixel_id}/events", "{}")
    document = '{"query": "{ tenants { totalCount } }"}'
    Told("POST", "/hub/graphql", document, Authorization=f"Bearer {bearer(cast.robot)}")

    told = Told("GET", "/metrics", Authorization=f"Bearer {TOKEN}").body.decode()

    assert pixel.pixel_id not in told
    assert cast.shoes.pk not in told
    assert set(re.findall(r'(\w+)="', told)) <= {
        *("road", "status", "le", "state", "operation", "way", "cause", "answer", "kind"),
        *("generation", "implementation", "major", "minor", "patchlevel", "version"),  # of Python itself
    }


def test_graphql_is_told_by_the_first_field_and_who_executed_it(watched: None, cast: Cast) -> None:
    document = '{"query": "query Mine { all: tenants { totalCount } }"}'
    before = measured().get(("portal_graphql_seconds_count", "tenants", "compiled"), 0)

    Told("POST", "/hub/graphql", document, Authorization=f"Bearer {bearer(cast.robot)}")

    assert measured()["portal_graphql_seconds_count", "tenants", "compiled"] == before + 1


# --- Of all processes ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_all_web_processes_are_told_of_together_and_those_that_are_gone_too(tmp_path: Path) -> None:
    pixel = PixelFactory.create()

    def post(times: int) -> None:
        for _ in range(times):  # a connection each: any of the processes answers
            body = {"data": [purchase()]}
            httpx.post(f"{instance.url}/capi/{pixel.pixel_id}/events", json=body, timeout=10).raise_for_status()

    def taken() -> float:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return read(httpx.get(f"{instance.url}/metrics", headers=headers, timeout=10).text)[
            "portal_request_seconds_count", "server", "202"
        ]

    with Instance(tmp_path, "http://127.0.0.1:9", WEB_WORKERS=2, METRICS_TOKEN=TOKEN) as instance:
        instance.start_web()
        post(20)
        assert taken() == 20
        instance.kill("web")
        instance.start_web()
        post(3)

        assert taken() == 23
        assert len(list((tmp_path / "metrics").glob("histogram_*.db"))) <= 3


def test_a_command_measures_nothing(tmp_path: Path) -> None:
    instance = Instance(tmp_path, "http://127.0.0.1:9", METRICS_TOKEN=TOKEN)

    subprocess.run([sys.executable, "manage.py", "check"], cwd=env.ROOT, env=instance.environment, check=True)

    assert list((tmp_path / "metrics").iterdir()) == []
