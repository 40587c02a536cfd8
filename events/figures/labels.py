"""The event names and websites that an account has seen of late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db.models import Max
from django.utils import timezone

from events.figures.metrics import LABELS_SHOWN
from events.models import LABELS_KEPT, Counter, SeenLabel


def seen_labels(pixels: Collection[int], dimension: Counter.Dimension, now: datetime | None = None) -> dict[str, date]:
    """The names or websites on the pixels' events in the last 30 days, each with its last day; the newest, if many."""
    since = (now or timezone.now()) - LABELS_KEPT
    rows = SeenLabel.objects.filter(pixel__in=pixels, dimension=dimension, last_seen__gte=since.date()).exclude(
        label=""
    )
    return dict(rows.values_list("label").annotate(last=Max("last_seen")).order_by("-last", "label")[:LABELS_SHOWN])
