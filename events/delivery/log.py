"""Writing the delivery log, apart from settling: its lines are for people, and what is counted does not depend on them.

Of a backlog, nearly all lines would be deleted by those of the next moment: they are held back for a second, or for as
long as the request to Meta takes that is under way then, and the newest are written. A worker that is killed loses the
lines that it holds. A fault in writing is logged, and keeps nobody from publishing.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import UTC, datetime
from itertools import islice

from django.db import Error, transaction
from django.utils import timezone

from common import bulk
from events import bounds
from events.delivery.batches import Batch, Event, Fate
from events.models import Delivery
from pixels.models import Pixel

logger = logging.getLogger(__name__)

WRITE_EVERY_SECONDS = 1.0

_COLUMNS = (
    "pixel_id",
    "at",
    "outcome",
    "event_name",
    "event_id",
    "event_time",
    "website",
    "road",
    "detail",
    "code",
    "trace_id",
)


class DeliveryLog:
    """The lines of a pixel's settled events that are still to be written, the oldest first."""

    def __init__(self, pixel_pk: int) -> None:
        self._pixel_pk = pixel_pk
        self._lines: deque[tuple[bulk.Value, ...]] = deque(maxlen=bounds.MAX_DELIVERIES)
        self._held_since = time.monotonic()

    def add(self, batch: Batch) -> None:
        """Note what became of the events of a batch that was settled."""
        now = timezone.now()
        settled = ((event, event.fate) for event in reversed(batch.events) if event.fate is not None)
        newest = list(islice(settled, bounds.MAX_DELIVERIES))
        self._lines.extend(self._line(event, fate, now) for event, fate in reversed(newest))

    def write_if_due(self) -> None:
        """Write what has been held for long enough."""
        if time.monotonic() - self._held_since >= WRITE_EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        """Write the lines that are held, and delete what is too much in the log by then."""
        self._held_since = time.monotonic()
        if not self._lines:
            return
        try:
            self._write()
        except Error:
            logger.warning("Lines of a delivery log were not written.", exc_info=True)
        else:
            self._lines.clear()

    @transaction.atomic
    def _write(self) -> None:
        """With the pixel's row locked: two workers that leave it together would trim what each of them sees."""
        locked = Pixel.objects.select_for_update(no_key=True).filter(pk=self._pixel_pk)
        if locked.values_list("pk").first():
            bulk.insert(Delivery, _COLUMNS, list(self._lines))
            bounds.trim_log(self._pixel_pk)

    def _line(self, event: Event, fate: Fate, now: datetime) -> tuple[bulk.Value, ...]:
        return (
            self._pixel_pk,
            now,
            fate.outcome.value,
            event.name,
            event.event_id,
            _moment(event.time),
            event.website,
            event.row.road,
            fate.detail,
            fate.code,
            fate.trace_id,
        )


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
