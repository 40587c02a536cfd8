"""A source, its pipelines and destinations; and what became of its events."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from accounts.models import Tenant
from events.figures.books import DESTINATIONS, SOURCES, Book
from events.gateway.delivering import deliver
from events.gateway.lacking import Lack
from events.gateway.taking_in import take_in
from events.models import DestinationLane, DestinationRow, SourceRow
from pipelines.models import Destination, DestinationType, Pipeline, Source
from tests.events.outbox import purchase, purchases
from tests.factories import (
    DestinationFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    SourceFactory,
)

__all__ = ["purchase", "purchases"]

#: A pipeline has one destination of each type.
TYPES = (DestinationType.CUSTOM_HTTP_API, DestinationType.META_CONVERSIONS_API, DestinationType.GOOGLE_BIGQUERY_API)


def pipeline(*sources: Source, destinations: int = 1, **values: Any) -> tuple[Pipeline, list[Destination]]:
    """A pipeline from the sources to so many destinations."""
    tenant = sources[0].tenant
    made = PipelineFactory.create(tenant=tenant, **values)
    for source in sources:
        PipelineSourceFactory.create(pipeline=made, source=source)
    reached = [destination(tenant, kind) for kind in TYPES[:destinations]]
    for each in reached:
        PipelineDestinationFactory.create(pipeline=made, destination=each)
    return made, reached


def destination(tenant: Tenant, kind: DestinationType = TYPES[0]) -> Destination:
    """One that is configured."""
    made = DestinationFactory.create(tenant=tenant, type=kind)
    made.settings = {"name": f"{kind} {made.pk}"}
    made.save(update_fields=["settings"])
    return made


def source_of(tenant: Tenant | None = None, **values: Any) -> Source:
    return SourceFactory.create(**({"tenant": tenant} if tenant else {}), **values)


def put(source: Source, *events: dict[str, Any], received_at: datetime | None = None, **values: Any) -> SourceRow:
    """One accepted request."""
    return SourceRow.objects.create(
        source=source,
        received_at=received_at or timezone.now(),
        event_count=len(events),
        body=json.dumps(events).encode(),
        **values,
    )


def run(source: Source) -> None:
    """Take in what the source has sent, and have each destination work on it."""
    for destination_pk in take_in(source.pk):
        deliver(destination_pk)


def again(destination: Destination) -> bool:
    """Deliver when the wait after a failure is over."""
    lane(destination).update(retry_at=None)
    return deliver(destination.pk)


def lane(destination: Destination) -> Any:
    return DestinationLane.objects.filter(pk=destination.pk)


def of_source(source: Source) -> dict[str, int]:
    """What is counted of the source's events, but for their ids, and is not nought."""
    return {column: n for column, n in counted(SOURCES, source.pk).items() if "ids_" not in column}


def ids_of_source(source: Source) -> dict[str, int]:
    """What is counted of the ids of the source's events, and is not nought."""
    return {column: n for column, n in counted(SOURCES, source.pk).items() if "ids_" in column}


def of_destination(destination: Destination) -> dict[str, int]:
    """What is counted of the events that the destination has come to, and is not nought."""
    return counted(DESTINATIONS, destination.pk)


def counted(book: Book, owner_pk: int, span: int = 2, dimension: int = 0) -> dict[str, int]:
    """What is counted and is not nought; but for what events lack."""
    columns = [column for column in book.columns if column not in Lack.values]
    sums = book.rows(owner_pk, span=span, dimension=dimension).aggregate(
        **{f"sum_{column}": Sum(column, default=0) for column in columns}
    )
    return {column: sums[f"sum_{column}"] for column in columns if sums[f"sum_{column}"]}


def apart(destination: Destination) -> int:
    """How many events wait for the destination apart from its cursors."""
    rows = DestinationRow.objects.filter(destination=destination)
    return int(rows.aggregate(events=Sum("event_count", default=0))["events"])


def is_balanced(destination: Destination) -> bool:
    """Has every event that the destination has come to one fate, or waits apart; in each span?"""
    totals = [counted(DESTINATIONS, destination.pk, span) for span in (0, 1, 2)]
    besides = ("received", "publish_errors")
    fates = sum(n for column, n in totals[0].items() if column not in besides and not column.startswith("browser_"))
    return totals[0] == totals[1] == totals[2] and totals[0].get("received", 0) == fates + apart(destination)
