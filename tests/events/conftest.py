"""What tests of events have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone

from events.figures import counting


@pytest.fixture
def in_one_minute() -> Iterator[None]:
    """What is counted is still of this minute, hour and day when it is read: the test begins early in each of them."""
    with time_machine.travel(timezone.now().replace(hour=12, minute=5, second=5)):
        yield


@pytest.fixture(autouse=True)
def _no_labels_of_earlier_tests() -> None:
    """The keys of pixels come again after a test: what the process knows of their labels must not."""
    counting._known.cache_clear()
