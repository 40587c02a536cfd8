"""What tests of events have."""

from __future__ import annotations

import pytest

from events.figures import counting


@pytest.fixture(autouse=True)
def _no_labels_of_earlier_tests() -> None:
    """The keys of pixels come again after a test: what the process knows of their labels must not."""
    counting._known.cache_clear()
