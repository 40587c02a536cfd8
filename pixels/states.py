"""How a pixel fares, in one word: what its page, the lists and their filter show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Q, QuerySet, TextChoices, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import TenantStatus
from pixels.models import Pixel
from pixels.traffic import happened

#: A pixel that has received nothing for so long is idle.
IDLE_AFTER = timedelta(hours=24)
#: A state tells of so many minutes.
WINDOW = 24 * 60
#: What is sent now waits for another attempt. The lane is the pixel's queue of events, which knows of that.
_WAITS = Q(lane__failures__gt=0) | Q(lane__silence__gt="")
#: Meta has refused something: its last answer was an error, or events have failed in the window.
_REFUSED = Q(api_error_code__isnull=False) | Q(has_failed=True)


class PixelState(TextChoices):
    """The first that is true of a pixel is its state; what needs somebody comes before what is well."""

    DEACTIVATED = "deactivated", _("Deactivated")
    TOKEN_REJECTED = "token-rejected", _("Token rejected")  # a state's name
    PUBLISHING_FAILS = "publishing-fails", _("Publishing fails")
    SOME_FAIL = "some-fail", _("Some events fail")
    PUBLISHING_OFF = "publishing-off", _("Publishing off")
    PUBLISHING = "publishing", _("Receiving and publishing")
    RECEIVING = "receiving", _("Receiving")
    IDLE = "idle", _("Idle")


#: What keeps a pixel's events from Meta, the worst first.
FAILING = (PixelState.TOKEN_REJECTED, PixelState.PUBLISHING_FAILS)
#: What needs somebody, the worst first.
NEEDING = (*FAILING, PixelState.SOME_FAIL)


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
        When(_WAITS | _REFUSED & Q(has_sent=False), then=Value(PixelState.PUBLISHING_FAILS)),
        When(_REFUSED, then=Value(PixelState.SOME_FAIL)),
        When(publishing_enabled=False, then=Value(PixelState.PUBLISHING_OFF)),
        When(last_published__gte=now - IDLE_AFTER, then=Value(PixelState.PUBLISHING)),
        When(last_received__gte=now - IDLE_AFTER, then=Value(PixelState.RECEIVING)),
        default=Value(PixelState.IDLE),
        output_field=CharField(),
    )
    return pixels.annotate(
        has_sent=happened("published", WINDOW, now), has_failed=happened("failed", WINDOW, now)
    ).annotate(state=state)


def failing_first() -> Case:
    """An order for pixels ``with_state``: those that need somebody come first, the worst before all."""
    return Case(*(When(state=state, then=rank) for rank, state in enumerate(NEEDING)), default=len(NEEDING))
