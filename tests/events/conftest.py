"""What tests of events have: the Graph API's sandbox, served over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from events.figures import counting
from events.sandbox import Sandbox
from events.sandbox.server import serve


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """The stand-in for Meta, to which the portal publishes in this test."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        yield sandbox


@pytest.fixture(autouse=True)
def _no_labels_of_earlier_tests() -> None:
    """The keys of pixels come again after a test: what the process knows of their labels must not."""
    counting._known.cache_clear()
