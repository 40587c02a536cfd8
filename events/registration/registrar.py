"""May this instance register pixels with Meta, and under which name?

A copy of an instance that still runs must not take over what that one has registered. So one that was restored from a
backup, or whose address has changed, waits for an admin's word.
"""

from __future__ import annotations

from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from accounts.services.routing import can_be_led_to, gateway_domain
from events.delivery.graph_api import publishes_to_sandbox
from events.models import Registrar


class Obstacle(Enum):
    """Why the instance may register nothing now."""

    NOT_PUBLIC = "not_public"
    RESTORED = "restored"
    MOVED = "moved"

    @property
    def needs_word(self) -> bool:
        """Would an admin's word remove it?"""
        return self is not Obstacle.NOT_PUBLIC


def obstacle() -> Obstacle | None:
    """What keeps the instance from registering; None where nothing does."""
    if not is_public():
        return Obstacle.NOT_PUBLIC
    return hold()


def is_public() -> bool:
    """Can browsers reach the gateway, by https? A sandbox in Meta's place sends none, and takes any address."""
    is_https = urlsplit(settings.BASE_URL).scheme == "https"
    return publishes_to_sandbox() or (is_https and can_be_led_to(gateway_domain()))


def hold() -> Obstacle | None:
    """What an admin has to say a word about."""
    registrar = Registrar.objects.first()
    if registrar is None:
        return None
    if registrar.restored_at is not None:
        return Obstacle.RESTORED
    return Obstacle.MOVED if registrar.has_moved else None


def instance_id() -> str:
    """By what Meta tells this instance's registrations from those of others."""
    registrar, _ = Registrar.objects.get_or_create(defaults={"base_url": settings.BASE_URL})
    return registrar.key.hex


def known_instance_id() -> str | None:
    """The same; None where the instance has registered nothing yet."""
    registrar = Registrar.objects.first()
    return registrar.key.hex if registrar else None


def hold_restored() -> None:
    """The instance has rows of another one's now: it registers and removes nothing before an admin says so."""
    Registrar.objects.update_or_create(
        defaults={"restored_at": timezone.now()},
        create_defaults={"restored_at": timezone.now(), "base_url": settings.BASE_URL},
    )


def give_word() -> None:
    """The instance may register, under the address that it has now."""
    now = {"restored_at": None, "base_url": settings.BASE_URL}
    Registrar.objects.update_or_create(defaults=now)
