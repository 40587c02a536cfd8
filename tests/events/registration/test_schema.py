"""Registration in GraphQL; who may is told by tests/permissions."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from events.models import Registration, Removal
from pixels.models import Pixel
from tests.base import Cast
from tests.events.registration.conftest import row_of
from tests.factories import PixelFactory
from tests.operations import run

State = Registration.State


@pytest.fixture
def pixels(cast: Cast) -> list[Pixel]:
    """Two of Shoes', which are not registered, and one of another account."""
    made = [PixelFactory.create(tenant=tenant) for tenant in (cast.shoes, cast.shoes, cast.other)]
    Registration.objects.all().delete()
    return made


def _listed(cast: Cast, **more: Any) -> list[dict[str, Any]]:
    answer = run(cast.robot, "registrations", tenantId=cast.shoes.pk, **more)
    assert answer.errors == []
    listed: list[dict[str, Any]] = answer.data["tenantQueries"]["registrations"]
    return listed


def test_it_tells_how_each_pixel_stands(cast: Cast, pixels: list[Pixel]) -> None:
    told_at = timezone.now()
    Registration.objects.create(
        pixel=pixels[1], state=State.REGISTERED, endpoint="https://gateway.example.com", told_at=told_at
    )

    assert _listed(cast) == [
        {
            "id": f"PixelRegistration:{pixels[0].pixel_id}",
            "pixelId": pixels[0].pixel_id,
            "state": "NOT_REGISTERED",
            **dict.fromkeys(("endpoint", "toldAt", "nextAttemptAt", "code", "message", "explanation")),
        },
        {
            "id": f"PixelRegistration:{pixels[1].pixel_id}",
            "pixelId": pixels[1].pixel_id,
            "state": "REGISTERED",
            "endpoint": "https://gateway.example.com",
            "toldAt": str(int(told_at.timestamp() * 1000)),
            **dict.fromkeys(("nextAttemptAt", "code", "message", "explanation")),
        },
    ]


def test_of_the_pixels_that_are_named(cast: Cast, pixels: list[Pixel]) -> None:
    Registration.objects.create(pixel=pixels[1], state=State.REFUSED, code="190.460", message="No.")

    (listed,) = _listed(cast, pixelIds=[pixels[1].pixel_id])

    assert (listed["state"], listed["code"], listed["message"]) == ("REFUSED", "190.460", "No.")
    assert listed["explanation"].startswith("The access token is no longer valid")
    assert run(cast.robot, "registrations", tenantId=cast.shoes.pk, pixelIds=[pixels[2].pixel_id]).refused(400)


def test_an_instance_at_home_says_so(cast: Cast, pixels: list[Pixel], settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    assert {listed["state"] for listed in _listed(cast)} == {"NOT_PUBLIC"}
    answer = run(cast.robot, "registerPixels", tenantId=cast.shoes.pk)

    assert answer.refused(409)
    assert "no public https address" in answer.message
    assert not Registration.objects.exists()


def test_pixels_are_registered_all_or_some(cast: Cast, pixels: list[Pixel]) -> None:
    answer = run(cast.robot, "registerPixels", tenantId=cast.shoes.pk, pixelIds=[pixels[0].pixel_id])
    assert answer.data["tenantMutations"]["registerPixels"] == {"registeredCount": 1}

    answer = run(cast.robot, "registerPixels", tenantId=cast.shoes.pk, replaceOthers=True)
    assert answer.data["tenantMutations"]["registerPixels"] == {"registeredCount": 1}

    assert [(row_of(pixel).state, row_of(pixel).may_replace) for pixel in pixels[:2]] == [
        ("WAITING", False),
        ("WAITING", True),
    ]
    assert not Registration.objects.filter(pixel=pixels[2]).exists()


def test_a_registration_is_taken_back(cast: Cast, pixels: list[Pixel]) -> None:
    Registration.objects.create(pixel=pixels[0], state=State.REGISTERED, node="7")
    named = {"tenantId": cast.shoes.pk, "pixelId": pixels[0].pixel_id}

    answer = run(cast.robot, "unregisterPixel", **named)

    assert answer.data["tenantMutations"]["unregisterPixel"] == {"success": True}
    assert Removal.objects.get().node == "7"
    assert run(cast.robot, "unregisterPixel", **named).refused(409)
