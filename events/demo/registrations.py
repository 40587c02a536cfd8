"""How the demo's pixels stand with Meta: as the worker would have left them, and will leave them again.

The sandbox of a new start knows none of them. What is registered is told to it by the first sweep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.services.routing import address_of
from events.demo.scenery import DemoPixel, Story
from events.models import Registration
from events.sandbox.faults import MESSAGES
from events.sandbox.registrations import FORBIDDEN_TOKEN_PREFIX, FORBIDDEN_WORDS, LIMITED_TOKEN_PREFIX
from events.sandbox.rules import REJECTED_TOKEN_PREFIX, REJECTED_WORDS
from pixels.models import Pixel

State = Registration.State

#: Until then pages show what is written here, whether a worker runs or not.
FIRST_SWEEP = timedelta(minutes=1)


def token_of(demo: DemoPixel) -> str:
    """An access token to which the sandbox answers as the pixel's story has it."""
    if demo.story is Story.REJECTED_TOKEN:
        return f"{REJECTED_TOKEN_PREFIX}-demo"
    if demo.story is Story.DEAD_LETTER:
        return f"{LIMITED_TOKEN_PREFIX}-demo"
    return "demo" if demo.mirrored else f"{FORBIDDEN_TOKEN_PREFIX}-demo"


def write_registration(pixel: Pixel, demo: DemoPixel, now: datetime) -> None:
    """Write the pixel's registration; one that counts purchases at the till has none."""
    Registration.objects.filter(pixel=pixel).delete()
    if demo.websites:
        Registration.objects.create(pixel=pixel, **_columns(pixel, demo, now))


def _columns(pixel: Pixel, demo: DemoPixel, now: datetime) -> dict[str, Any]:
    if not demo.mirrored:
        return {"state": State.REFUSED, "failures": 1, "code": "200", "message": FORBIDDEN_WORDS}
    known = {"endpoint": address_of(pixel.tenant), "node": f"7{pixel.pixel_id}", "told_at": now - timedelta(days=2)}
    if demo.story is Story.REJECTED_TOKEN:
        return {**known, "state": State.REFUSED, "failures": 1, "code": "190.460", "message": REJECTED_WORDS}
    if demo.story is Story.DEAD_LETTER:
        waits = {"state": State.WAITING, "failures": 4, "due_at": now + 9 * FIRST_SWEEP}
        return {**known, **waits, "code": "17", "message": MESSAGES[17]}
    return {**known, "state": State.REGISTERED, "due_at": now + FIRST_SWEEP}
