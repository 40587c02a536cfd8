"""How far each destination has come with each source: which cursors there are follows from the pipelines.

A new one begins behind all that has a place by then, so a destination gets what comes from its first day on. Whoever
hands out places has locked the source, and so has whoever makes or removes its cursors.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from events.models import DestinationCursor, SourceLane, SourceRow
from pipelines.models import PipelineDestination, PipelineSource, Source


@transaction.atomic(savepoint=False)
def follow_pipelines(source_pks: Iterable[int]) -> None:
    """Give each source the cursors of the destinations that pipelines lead to, and no others.

    It takes as many statements for one source as for all.
    """
    locked = Source.objects.select_for_update(no_key=True).filter(pk__in=source_pks).order_by("pk")
    sources = list(locked.values_list("pk", flat=True))
    reached = PipelineSource.objects.filter(source__in=sources, pipeline__destination_links__isnull=False)
    wanted = set(reached.order_by().values_list("source_id", "pipeline__destination_links__destination_id"))
    cursors = DestinationCursor.objects.filter(source__in=sources).values_list("source_id", "destination_id", "pk")
    known = {(source, destination): pk for source, destination, pk in cursors}
    if left := known.keys() - wanted:
        DestinationCursor.objects.filter(pk__in=[known[pair] for pair in left]).delete()
    if lacking := wanted - known.keys():
        places: dict[int, int] = dict(SourceLane.objects.filter(pk__in=sources).values_list("source_id", "placed"))
        DestinationCursor.objects.bulk_create(
            DestinationCursor(source_id=source, destination_id=destination, place=places.get(source, 0))
            for source, destination in sorted(lacking)
        )


def follow_all_pipelines() -> None:
    """The same for all sources of which cursors are missing or too many: what was written past Django's signals."""
    places = PipelineSource.objects.filter(
        Exists(
            PipelineDestination.objects.filter(pipeline=OuterRef("pipeline")).exclude(
                destination__cursors__source=OuterRef(OuterRef("source"))
            )
        )
    )
    lacking = set(places.order_by().values_list("source_id", flat=True))
    reached = PipelineDestination.objects.filter(
        destination=OuterRef("destination"), pipeline__source_links__source=OuterRef("source")
    )
    too_many = DestinationCursor.objects.filter(~Exists(reached)).values_list("source_id", flat=True)
    follow_pipelines(lacking | set(too_many))


def clear(source_pk: int) -> None:
    """Delete the source's rows that all cursors have passed: a statement of its own, which may be left to the next."""
    cursors, lane = DestinationCursor._meta.db_table, SourceLane._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {SourceRow._meta.db_table} WHERE source_id = %s AND place <= COALESCE("  # noqa: S608  # nosec B608  # our tables
            f"(SELECT MIN(place) FROM {cursors} WHERE source_id = %s),"
            f" (SELECT placed FROM {lane} WHERE source_id = %s))",
            [source_pk] * 3,
        )


def clear_all() -> None:
    """The same for every source that has rows."""
    rows = SourceRow.objects.filter(source=OuterRef("pk"), place__isnull=False)
    for source_pk in Source.objects.filter(Exists(rows)).order_by("pk").values_list("pk", flat=True):
        clear(source_pk)
