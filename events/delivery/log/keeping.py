"""How long the delivery log is kept, and how large it may grow; and forgetting what belongs to nobody any more.

On PostgreSQL a day is a part of both tables, which goes as a whole. What was written while a day had no part, since
nothing had made it, is in the default part, and is deleted row by row, as everything is on SQLite.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce, Length

from common import partitions
from common.partitions import Part
from events.models import DeliveryBatch, DeliveryKey
from events.models.log import first_id_at, moment_of

logger = logging.getLogger(__name__)

#: Parts are made for so many days from today on: the scheduled task may fail for as long.
DAYS_AHEAD = 3
_DAY = timedelta(days=1)
_TABLES = (DeliveryBatch, DeliveryKey)
#: Batches that one transaction deletes.
BATCHES_AT_ONCE = 500
#: An estimate of the log's size looks at so many.
BATCHES_SAMPLED = 1_000
#: Who makes or drops a part waits for all who write, and all who write wait for it: no longer than this.
_LOCK_TIMEOUT = "2s"
#: About what a row takes beside its columns of bytes, where the database does not tell.
_OCTETS_OF_BATCH, _OCTETS_OF_KEY = 150, 80


def prune_log(now: datetime) -> None:
    """Make the parts of the next days, and let go of what is too old or too much, the oldest day first."""
    if partitions.are_used():
        for number in range(DAYS_AHEAD + 1):
            _make_day(_day_of(now) + number * _DAY)
    _forget_before(now - timedelta(days=settings.DELIVERY_LOG_DAYS))
    size = size_of_log()
    while size > settings.DELIVERY_LOG_MAX_BYTES and (oldest := _oldest_day()):
        logger.warning("The delivery log is larger than DELIVERY_LOG_MAX_BYTES: %s goes.", oldest.date())
        if not _forget_before(oldest + _DAY):
            break
        before, size = size, size_of_log()
        if size >= before:  # the default part gives its room back when it is vacuumed: no other day goes for that
            break


def forget_pixel(tenant_id: str, pixel_pk: int) -> None:
    """Delete the pixel's lines."""
    _forget(DeliveryBatch.objects.filter(tenant_id=tenant_id, pixel=pixel_pk))


def forget_destination(tenant_id: str, destination_pk: int) -> None:
    """Delete the lines of the destination of gateway pipelines."""
    _forget(DeliveryBatch.objects.filter(tenant_id=tenant_id, destination=destination_pk))


def _forget(batches: QuerySet[DeliveryBatch]) -> None:
    DeliveryKey.objects.filter(batch__in=batches.values("pk")).delete()
    batches.delete()


def forget_tenant(tenant_id: str) -> None:
    """Delete the account's lines."""
    DeliveryKey.objects.filter(tenant_id=tenant_id).delete()
    DeliveryBatch.objects.filter(tenant_id=tenant_id).delete()


def size_of_log() -> int:
    """How many bytes it takes; on SQLite about so many, and all of it is read."""
    if partitions.are_used():
        return sum(map(partitions.octets, _TABLES))
    return _octets(DeliveryBatch.objects.all(), DeliveryKey.objects.all())


def estimated_size_of_log() -> int:
    """The same, for pages: on SQLite it is reckoned from the newest batches, and how many there are."""
    if partitions.are_used():
        return size_of_log()
    newest = list(DeliveryBatch.objects.order_by("-pk").values_list("pk", flat=True)[:BATCHES_SAMPLED])
    if not newest:
        return 0
    since = newest[-1]
    sampled = _octets(DeliveryBatch.objects.filter(pk__gte=since), DeliveryKey.objects.filter(batch__gte=since))
    return sampled * DeliveryBatch.objects.count() // len(newest)


def _octets(of_batches: QuerySet[DeliveryBatch], of_keys: QuerySet[DeliveryKey]) -> int:
    octets = Length("body") + Length("kinds") + Coalesce(Length("changes"), 0)
    batches = of_batches.aggregate(octets=Sum(octets, default=0), rows=Count("pk"))
    keys = of_keys.aggregate(octets=Sum(Length("digests"), default=0), rows=Count("batch"))
    overhead = batches["rows"] * _OCTETS_OF_BATCH + keys["rows"] * _OCTETS_OF_KEY
    return int(batches["octets"] + keys["octets"] + overhead)


def _day_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _make_day(day: datetime) -> None:
    """Where the default part holds events of the day, it keeps them: the day goes on there."""
    first, end = first_id_at(day), first_id_at(day + _DAY)
    for model in _TABLES:
        if any(part.first == first for part in partitions.parts_of(model)):
            continue
        try:
            with _impatient():
                partitions.add_part(model, Part(f"{model._meta.db_table}_{day:%Y%m%d}", first, end))
        except DatabaseError:
            logger.warning("No part was made for %s of the delivery log.", day.date(), exc_info=True)


@contextmanager
def _impatient() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
        yield


def _forget_before(moment: datetime) -> bool:
    """Forget what was settled before; False where somebody keeps a part from going."""
    end = first_id_at(moment)
    if partitions.are_used():
        for part in (part for model in _TABLES for part in partitions.parts_of(model) if part.end <= end):
            try:
                with _impatient():
                    partitions.drop_part(part)
            except DatabaseError:
                logger.warning("%s was not dropped: somebody reads or writes it.", part.name, exc_info=True)
                return False
    _delete(DeliveryBatch.objects.filter(pk__lt=end))
    return True


def _oldest_day() -> datetime | None:
    """The first day of which there are events."""
    oldest = DeliveryBatch.objects.order_by("pk").values_list("pk", flat=True).first()
    return None if oldest is None else _day_of(moment_of(oldest))


def _delete(batches: QuerySet[DeliveryBatch]) -> None:
    """Delete batches and their keys, some at a time."""
    for some in _some_at_a_time(batches):
        with transaction.atomic():
            DeliveryKey.objects.filter(batch__in=some).delete()
            DeliveryBatch.objects.filter(pk__in=some).delete()


def _some_at_a_time(batches: QuerySet[DeliveryBatch]) -> Iterator[list[int]]:
    while some := list(batches.order_by("pk").values_list("pk", flat=True)[:BATCHES_AT_ONCE]):
        yield some
