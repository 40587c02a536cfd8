"""The event names and websites that an account has seen of late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone

from events.figures.metrics import LABELS_SHOWN
from events.models import Counter, SeenLabel, SourceLabel
from events.retention import LABELS_KEPT


def seen_labels(pixels: Collection[int], dimension: Counter.Dimension, now: datetime | None = None) -> dict[str, date]:
    """The names or websites on the pixels' events in the last 30 days, each with its last day; the newest, if many."""
    return _newest(SeenLabel.objects.filter(pixel__in=pixels), dimension, now)


def seen_labels_of_sources(
    source_ids: Collection[str], dimension: Counter.Dimension, now: datetime | None = None
) -> dict[str, date]:
    """The same of gateway sources, by their ids."""
    return _newest(SourceLabel.objects.filter(source__source_id__in=source_ids), dimension, now)


def _newest(rows: QuerySet[Any], dimension: Counter.Dimension, now: datetime | None) -> dict[str, date]:
    since = (now or timezone.now()) - LABELS_KEPT
    rows = rows.filter(dimension=dimension, last_seen__gte=since.date()).exclude(label="")
    return dict(rows.values_list("label").annotate(last=Max("last_seen")).order_by("-last", "label")[:LABELS_SHOWN])
