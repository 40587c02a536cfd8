"""What deploy/ has for Prometheus and Grafana: it asks for what the portal measures, and for nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client.metrics import MetricWrapperBase

from common import env, metrics
from portal.metrics import Standing

DEPLOY = env.ROOT / "deploy"


def names() -> Iterator[str]:
    """Of every series that the portal has."""
    for measure in vars(metrics).values():
        if isinstance(measure, MetricWrapperBase):
            for family in measure.describe():
                endings = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}.get(family.type, ("",))
                yield from (f"{family.name}{ending}" for ending in endings)
    yield from (family.name for family in Standing().collect())


@pytest.mark.django_db
@pytest.mark.parametrize("file", ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/portal.json"])
def test_every_series_that_is_asked_for_is_measured(file: str) -> None:
    asked = set(re.findall(r"\bportal_[a-z_]+", (DEPLOY / file).read_text("utf-8")))

    assert asked
    assert asked <= set(names())


@pytest.mark.django_db
def test_the_dashboard_shows_every_measure() -> None:
    panels = json.loads((DEPLOY / "grafana" / "portal.json").read_text("utf-8"))["panels"]
    shown = " ".join(target["expr"] for panel in panels for target in panel["targets"])

    of_histograms = re.compile(r"_(bucket|sum|count)$")
    assert {of_histograms.sub("", name) for name in names()} <= {
        of_histograms.sub("", name) for name in re.findall(r"\bportal_[a-z_]+", shown)
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool")
def test_the_alerts_are_raised_by_what_they_are_for() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/deploy_check.py"], cwd=env.ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
