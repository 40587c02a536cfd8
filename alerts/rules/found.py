"""What a rule finds, and what it may know when it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import TenantStatus
from alerts.models import INSTANCE, Incident, RuleName
from pipelines.models import Destination, Source
from pixels.models import Pixel


@dataclass(frozen=True, slots=True)
class Found:
    """An object at which something is, or may be, wrong: ``value`` in the rule's unit tells how much."""

    subject: str = INSTANCE
    tenant_id: str | None = None
    pixel: int | None = None
    destination: int | None = None
    value: float = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


PIXEL_COLUMNS = ("pk", "pixel_id", "name", "tenant_id")
_SOURCE = ("pk", "source_id", "name", "tenant_id")
_DESTINATION = ("pk", "uuid", "name", "tenant_id")


def pixels(keys: Iterable[int]) -> QuerySet[Pixel, dict[str, Any]]:
    """The columns for ``of_pixel``, of those whose account is active."""
    return _active(Pixel.objects.filter(pk__in=list(keys))).values(*PIXEL_COLUMNS)


def sources(keys: Iterable[int]) -> QuerySet[Source, dict[str, Any]]:
    """The same for ``of_source``."""
    return _active(Source.objects.filter(pk__in=list(keys))).values(*_SOURCE)


def destinations(keys: Iterable[int]) -> QuerySet[Destination, dict[str, Any]]:
    """The same for ``of_destination``."""
    return _active(Destination.objects.filter(pk__in=list(keys))).values(*_DESTINATION)


def _active(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.exclude(tenant__status=TenantStatus.DEACTIVATED).order_by("pk")


def of_pixel(row: Mapping[str, Any], value: float = 0, **facts: Any) -> Found:
    """What was found at a pixel; ``row`` has its columns ``PIXEL_COLUMNS``."""
    name = row["name"] or row["pixel_id"]
    named = {"pixel": row["pixel_id"], "name": name, **facts}
    return Found(f"pixel {row['pixel_id']}", row["tenant_id"], row["pk"], None, value, named)


def of_source(row: Mapping[str, Any], value: float = 0, **facts: Any) -> Found:
    """What was found at a gateway source."""
    named = {"name": row["name"] or row["source_id"], **facts}
    return Found(f"source {row['source_id']}", row["tenant_id"], value=value, facts=named)


def of_destination(row: Mapping[str, Any], value: float = 0, **facts: Any) -> Found:
    """What was found at a destination of the gateway."""
    named = {"name": row["name"], **facts}
    return Found(f"destination {row['uuid']}", row["tenant_id"], None, row["pk"], value, named)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: at which moment, and which incidents of the rule are open. ``last`` is when the look before was."""

    now: datetime
    open: tuple[Incident, ...] = ()
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How something is found, and from when on it is wrong."""

    name: RuleName
    find: Callable[[Look], Iterable[Found]]
    #: An incident is open where the value is above the threshold, or, with ``is_floor``, below; None for "always".
    threshold: int | None = None
    is_floor: bool = False
    #: The greatest threshold that makes sense.
    most: int = 100
    #: Of the instance: told to the host alone, and set by it.
    is_hosts: bool = False
    #: Events are lost for good while it lasts; elsewhere they wait. It is told in quiet hours, too.
    is_severe: bool = False

    def is_broken(self, value: float, threshold: int | None) -> bool:
        """Is the value beyond the threshold?"""
        if threshold is None:
            return True
        return value < threshold if self.is_floor else value > threshold
