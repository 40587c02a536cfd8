"""What was refused, as it was written down."""

from __future__ import annotations

from typing import Any

from events.models import Finding, RefusedRequest
from events.refused import counting

REFUSED, NOT_LET_IN = Finding.Kind.REFUSED, Finding.Kind.NOT_LET_IN


def written(table: Any = Finding) -> list[tuple[Any, ...]]:
    """Kind, road, field, reason, requests and events of all that was counted."""
    counting._refused.flush()
    columns = ("kind", "road", "field", "reason", "count", "events")
    return list(table.objects.exclude(kind=Finding.Kind.LEFT_OUT).order_by("pk").values_list(*columns))


def last(table: Any = RefusedRequest) -> list[Any]:
    """The requests that are kept, the newest first."""
    counting._refused.flush()
    return list(table.objects.order_by("-pk"))
