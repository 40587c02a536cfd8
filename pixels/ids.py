"""One space of ids: what is posted for an id is of a pixel or of something else, never of both.

This app knows the pixels. Whoever has further ids gives its question to ``ask_also`` at start. Whoever is about to
store a new id takes the lock before it asks: two tables have no unique column in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import connection

from common.errors import InvalidInput
from pixels.models import Pixel

#: The account that has the id, by its key; None where nobody has.
Question = Callable[[str], str | None]

_further: list[Question] = []
#: Of PostgreSQL's advisory locks; it stands for nothing.
_LOCK = 7_310_021


def ask_also(question: Question) -> None:
    """Ask this from now on, too."""
    if question not in _further:
        _further.append(question)


def lock_ids() -> None:
    """Hold all other makers of ids up until the transaction ends. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def owner_of(id: str) -> str | None:
    """The account that has the id, whatever it is of."""
    return next(filter(None, _owners(id)), None)


def _owners(id: str) -> Iterator[str | None]:
    yield Pixel.objects.filter(pixel_id=id).values_list("tenant_id", flat=True).first()
    yield from owners_beside_pixels(id)


def owners_beside_pixels(id: str) -> Iterator[str | None]:
    """What the other questions answer."""
    return (question(id) for question in _further)


def taken_elsewhere(field: str) -> InvalidInput:
    """The id is another account's: nothing else is told of it."""
    return InvalidInput(field, "this pixel is connected in another account already.")
