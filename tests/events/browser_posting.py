"""The Meta Pixel in a visitor's browser: what it posts to the gateway."""

from __future__ import annotations

import json
from typing import Any

from pixels.models import Pixel
from tests.events.sending import Reply, ask

SHOP = "https://shop.example.com"
ADDRESS = "81.2.69.142"
HEADERS = {"Origin": SHOP, "Referer": f"{SHOP}/shoes", "User-Agent": "Mozilla/5.0 (X11)"}


def page_view(pixel: Pixel | str, **changes: Any) -> dict[str, Any]:
    """What is posted; a change to None takes the field away. Two underscores stand for the dot in a field's name."""
    body: dict[str, Any] = {
        "event_name": "PageView",
        "event_id": "view-1",
        "fb.pixel_id": pixel.pixel_id if isinstance(pixel, Pixel) else pixel,
        "website_context": {"location": f"{SHOP}/shoes", "referrer": "", "isInIFrame": False},
    }
    body |= {field.replace("__", "."): value for field, value in changes.items()}
    return {field: value for field, value in body.items() if value is not None}


def post(body: Any, path: str = "/events?cee=no", address: str = ADDRESS, **headers: str) -> Reply:
    """Post it as ``fetch`` and ``navigator.sendBeacon`` do: as plain text."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask("POST", path, data, "text/plain;charset=UTF-8", headers=HEADERS | headers, REMOTE_ADDR=address)
