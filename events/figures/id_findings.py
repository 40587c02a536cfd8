"""Examples of event ids with which something is wrong, for people who look for a sender's mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models

from accounts.audit import MASK
from events.models import IdFinding

MAX_EXAMPLES = 3
#: Of so many kinds and names of a pixel or source there are examples: names are made up by senders.
MAX_FINDINGS = 100

_is_address = re.compile("@|%40").search
#: With its country code a telephone number has at most 15 digits. Orders' numbers of fewer than ten are shown whole.
_is_phone = re.compile(r"(?:\+|00)?(?:[\s().\/-]*[0-9]){10,15}[\s)]*").fullmatch


class Found(NamedTuple):
    """Of so many events it was found at a time; one has this id."""

    kind: IdFinding.Kind
    event_name: str
    n: int
    at: datetime
    event_id: str


def note_findings(table: type[models.Model], of: Mapping[str, int], found: Iterable[Found]) -> None:
    """Add to an owner's findings; the newest examples are kept. The caller holds the pixel's lane, or the source.

    ``of`` is the owner's column in the table, and its key.
    """
    news: dict[tuple[int, str], list[Found]] = {}
    for one in found:
        news.setdefault((one.kind, one.event_name), []).append(one)
    if not news:
        return
    stored: models.QuerySet[Any] = table._default_manager.filter(**of)
    rows = {(row.kind, row.event_name): row for row in stored}
    for key, of_kind in news.items():
        if key not in rows and len(rows) >= MAX_FINDINGS:
            continue
        row = rows.setdefault(key, table(**of, kind=key[0], event_name=key[1], count=0))
        row.count += sum(one.n for one in of_kind)
        row.last_at = max(one.at for one in of_kind)
        newest_first = [masked(one.event_id) for one in reversed(of_kind)]
        row.examples = list(dict.fromkeys([*newest_first, *row.examples]))[:MAX_EXAMPLES]
        row.save()


def masked(event_id: str) -> str:
    """The id without an address of mail; of a telephone number, its first and last two digits are shown."""
    if _is_address(event_id):
        return MASK
    if not _is_phone(event_id):
        return event_id
    hidden = [place for place, character in enumerate(event_id) if character.isdecimal()][2:-2]
    return "".join("•" if place in hidden else character for place, character in enumerate(event_id))
