"""What the tests with processes of their own have."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each keeps the machine busy, and some measure: pytest-xdist's workers, who share this folder, take turns."""
    with (tmp_path_factory.getbasetemp().parent / "busy").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
