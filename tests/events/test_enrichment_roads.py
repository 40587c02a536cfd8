"""What anybody may post as a browser replaces nothing that a server has taught of a visitor."""

from __future__ import annotations

from typing import Any

import pytest

from events.delivery.publishing import drain
from events.models import Road
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

FBP = "fb.1.1764400000000.1234567890"
ADA, EVE, PHONE, OTHER = "a" * 64, "e" * 64, "1" * 64, "2" * 64


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create(tenant__event_enrichment=True)


def publish(pixel: Pixel, sandbox: Sandbox, road: Road, **user_data: Any) -> dict[str, Any]:
    """What Meta gets to know of the visitor."""
    put(pixel, purchase(user_data={"client_user_agent": "Mozilla/5.0", "fbp": FBP, **user_data}), road=road)
    drain(pixel.pk)
    got: dict[str, Any] = sandbox.received[-1]["user_data"]
    return {name: value for name, value in got.items() if name in ("em", "ph")}


def test_browsers_teach_what_nobody_has_taught(pixel: Pixel, sandbox: Sandbox) -> None:
    publish(pixel, sandbox, Road.BROWSER, em=[ADA])
    assert publish(pixel, sandbox, Road.SERVER) == {"em": [ADA]}

    publish(pixel, sandbox, Road.SERVER, em=[ADA], ph=[PHONE])
    assert publish(pixel, sandbox, Road.BROWSER) == {"em": [ADA], "ph": [PHONE]}


def test_a_browser_of_somebody_else_replaces_nothing_and_gets_nothing(pixel: Pixel, sandbox: Sandbox) -> None:
    publish(pixel, sandbox, Road.SERVER, em=[ADA])
    assert publish(pixel, sandbox, Road.BROWSER, em=[EVE], ph=[OTHER]) == {"em": [EVE], "ph": [OTHER]}

    # Whose event this is, nobody knows now.
    assert publish(pixel, sandbox, Road.BROWSER) == publish(pixel, sandbox, Road.SERVER) == {}
    # A server says that it is Ada still.
    publish(pixel, sandbox, Road.SERVER, em=[ADA])
    assert publish(pixel, sandbox, Road.BROWSER) == {"em": [ADA]}


def test_a_browser_changes_no_value_that_a_server_has_taught(pixel: Pixel, sandbox: Sandbox) -> None:
    publish(pixel, sandbox, Road.SERVER, em=[ADA], ph=[PHONE])
    publish(pixel, sandbox, Road.BROWSER, em=[ADA], ph=[PHONE, OTHER])

    assert publish(pixel, sandbox, Road.SERVER) == {"em": [ADA], "ph": [PHONE]}


def test_a_server_replaces_what_a_browser_has_taught(pixel: Pixel, sandbox: Sandbox) -> None:
    publish(pixel, sandbox, Road.BROWSER, em=[EVE])
    publish(pixel, sandbox, Road.SERVER, em=[ADA])

    assert publish(pixel, sandbox, Road.BROWSER) == {"em": [ADA]}
