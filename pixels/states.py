"""How a pixel fares, in one word: what its page, the lists and their filter show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Q, QuerySet, TextChoices, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import TenantStatus
from pixels.models import Pixel

#: A pixel that has received nothing for so long is idle.
IDLE_AFTER = timedelta(hours=24)
#: Meta's last answer was an error, or it does not answer. The lane is the pixel's queue of events, which knows of that.
_FAILS = Q(api_error_code__isnull=False) | Q(lane__silence__gt="")


class PixelState(TextChoices):
    """The first that is true of a pixel is its state; what needs somebody comes before what is well."""

    DEACTIVATED = "deactivated", _("Deactivated")
    TOKEN_REJECTED = "token-rejected", _("Token rejected")  # a state's name
    PUBLISHING_FAILS = "publishing-fails", _("Publishing fails")
    PUBLISHING_OFF = "publishing-off", _("Publishing off")
    PUBLISHING = "publishing", _("Receiving and publishing")
    RECEIVING = "receiving", _("Receiving")
    IDLE = "idle", _("Idle")


#: What keeps a pixel's events from Meta, the worst first.
FAILING = (PixelState.TOKEN_REJECTED, PixelState.PUBLISHING_FAILS)


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
        When(_FAILS, then=Value(PixelState.PUBLISHING_FAILS)),
        When(publishing_enabled=False, then=Value(PixelState.PUBLISHING_OFF)),
        When(last_published__gte=now - IDLE_AFTER, then=Value(PixelState.PUBLISHING)),
        When(last_received__gte=now - IDLE_AFTER, then=Value(PixelState.RECEIVING)),
        default=Value(PixelState.IDLE),
        output_field=CharField(),
    )
    return pixels.annotate(state=state)


def failing_first() -> Case:
    """An order for pixels ``with_state``: those whose events do not reach Meta come first, the worst before all."""
    return Case(*(When(state=state, then=rank) for rank, state in enumerate(FAILING)), default=len(FAILING))
