"""How much is kept of one pixel, whatever its senders do: the newest rows of each kind; what is older goes.

How long rows are kept at all is in ``events/retention.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Length

#: An event whose dead letter has gone stays counted as failed.
MAX_DEAD_LETTERS = 10_000
#: Events may be of any size up to the longest request's.
MAX_DEAD_LETTER_BYTES = 100_000_000
#: Hashes of half a million visitors take about half a gigabyte.
MAX_IDENTITIES = 500_000


def trim_dead_letters(letters: QuerySet[Any]) -> None:
    """Delete the oldest of a pixel's or destination's dead letters where there are too many, or too many bytes."""
    newest_first = [F("failed_at").desc(), F("id").desc()]
    too_many = letters.order_by(*newest_first).values_list("failed_at", "id")[MAX_DEAD_LETTERS : MAX_DEAD_LETTERS + 1]
    _delete_from(letters, too_many)
    size = Window(Sum(Length("event")), order_by=newest_first)
    too_large = letters.annotate(size=size).filter(size__gt=MAX_DEAD_LETTER_BYTES).order_by("size")
    _delete_from(letters, too_large.values_list("failed_at", "id")[:1])


def _delete_from(letters: QuerySet[Any], first: Iterable[tuple[datetime, int]]) -> None:
    """Delete this one, if there is one, and all that are older."""
    for failed_at, pk in first:
        letters.filter(Q(failed_at__lt=failed_at) | Q(failed_at=failed_at, id__lte=pk)).delete()


def trim_identities(identities: QuerySet[Any]) -> None:
    """Forget those of a pixel's or destination's visitors who were seen longest ago where there are too many."""
    first_too_many = identities.order_by("-seen_at").values("seen_at")[MAX_IDENTITIES : MAX_IDENTITIES + 1]
    identities.filter(seen_at__lte=Subquery(first_too_many)).delete()
