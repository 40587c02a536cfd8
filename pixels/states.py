"""How a pixel fares, in one word: what its page, the lists and their filter show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, QuerySet, TextChoices, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import TenantStatus
from pixels.models import Pixel

#: A pixel that has received nothing for so long is idle.
IDLE_AFTER = timedelta(hours=24)


class PixelState(TextChoices):
    """The first that is true of a pixel is its state; what needs somebody comes before what is well."""

    DEACTIVATED = "deactivated", _("Deactivated")
    TOKEN_REJECTED = "token-rejected", _("Token rejected")  # a state's name
    PUBLISHING_OFF = "publishing-off", _("Publishing off")
    RECEIVING = "receiving", _("Receiving")
    IDLE = "idle", _("Idle")


if TYPE_CHECKING:

    class StatedPixel(Pixel):
        """A pixel with its state."""

        state: str


def with_state(pixels: QuerySet[Pixel], now: datetime | None = None) -> QuerySet[Any]:
    """Add ``state``, one of PixelState, to filter and sort by."""
    now = now or timezone.now()
    state = Case(
        When(tenant__status=TenantStatus.DEACTIVATED, then=Value(PixelState.DEACTIVATED)),
        When(event_bridge_active=False, then=Value(PixelState.DEACTIVATED)),
        When(bad_token=True, then=Value(PixelState.TOKEN_REJECTED)),
        When(publishing_enabled=False, then=Value(PixelState.PUBLISHING_OFF)),
        When(last_received__gte=now - IDLE_AFTER, then=Value(PixelState.RECEIVING)),
        default=Value(PixelState.IDLE),
        output_field=CharField(),
    )
    return pixels.annotate(state=state)
