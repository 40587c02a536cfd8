"""What the tests of the overview count, and find there."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.utils import timezone

from events.figures.books import PIXELS, Book
from events.figures.counting import Tally
from pixels.models import Pixel

PAGE = "account_overview"


def count(pixel: Pixel, at: datetime | None = None, name: str = "Purchase", **fates: int) -> None:
    note(PIXELS, pixel.pk, at, name, **fates)


def note(book: Book, owner_pk: int, at: datetime | None = None, name: str = "Purchase", **fates: int) -> None:
    tally = Tally(book)
    for column, n in fates.items():
        tally.add(at or timezone.now(), name, "shop.example.com", column, n)
    tally.write(owner_pk)


def figures(answer: Any) -> dict[str, str]:
    page = answer.content.decode()
    return dict(re.findall(r'data-figure="(\w+)">([^<]*)<', page))
