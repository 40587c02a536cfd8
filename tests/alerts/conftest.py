"""The disk of the tests' machine is no matter."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _the_disk_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", lambda path: type("Usage", (), {
        "total": 10**12, "free": 5 * 10**11,
    }))  # fmt: skip
