"""How much is kept of one pixel, whatever its senders do: the newest rows of each kind; what is older goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Length

from events.models import DeadLetter, Delivery, Identity

MAX_DELIVERIES = 1_000
#: An event whose dead letter has gone stays counted as failed.
MAX_DEAD_LETTERS = 10_000
#: Events may be of any size up to the longest request's.
MAX_DEAD_LETTER_BYTES = 100_000_000
#: Hashes of half a million visitors take about half a gigabyte.
MAX_IDENTITIES = 500_000


def trim_log(pixel_pk: int) -> None:
    """Delete what is too much in the pixel's delivery log: one statement, which reads an index."""
    log = Delivery.objects.filter(pixel=pixel_pk)
    first_too_many = log.order_by("-id").values("id")[MAX_DELIVERIES : MAX_DELIVERIES + 1]
    log.filter(id__lte=Subquery(first_too_many)).delete()


def trim_dead_letters(pixel_pk: int) -> None:
    """Delete the pixel's oldest dead letters where there are too many, or too many bytes of them."""
    letters = DeadLetter.objects.filter(pixel=pixel_pk)
    newest_first = [F("failed_at").desc(), F("id").desc()]
    too_many = letters.order_by(*newest_first).values_list("failed_at", "id")[MAX_DEAD_LETTERS : MAX_DEAD_LETTERS + 1]
    _delete_from(letters, too_many)
    size = Window(Sum(Length("event")), order_by=newest_first)
    too_large = letters.annotate(size=size).filter(size__gt=MAX_DEAD_LETTER_BYTES).order_by("size")
    _delete_from(letters, too_large.values_list("failed_at", "id")[:1])


def _delete_from(letters: QuerySet[DeadLetter], first: Iterable[tuple[datetime, int]]) -> None:
    """Delete this one, if there is one, and all that are older."""
    for failed_at, pk in first:
        letters.filter(Q(failed_at__lt=failed_at) | Q(failed_at=failed_at, id__lte=pk)).delete()


def trim_identities(pixel_pk: int) -> None:
    """Forget the pixel's visitors who were seen longest ago where there are too many."""
    identities = Identity.objects.filter(pixel=pixel_pk)
    first_too_many = identities.order_by("-seen_at").values("seen_at")[MAX_IDENTITIES : MAX_IDENTITIES + 1]
    identities.filter(seen_at__lte=Subquery(first_too_many)).delete()
