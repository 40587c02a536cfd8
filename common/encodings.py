"""Which encoding of an answer a client takes (RFC 9110, 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONE = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)


def best_encoding(accepted: str, offered: Iterable[str]) -> str:
    """The first of those ``offered`` that ``Accept-Encoding`` takes and ranks highest; empty where it takes none.

    It is empty, too, where the client ranks the answer as it is, "identity", above all of them. What is not to be
    understood is not there.
    """
    ranks = {name.lower(): float(rank or 1) for name, rank in _parts(accepted)}
    any_other = ranks.get("*", 0.0)
    ranked = [(ranks.get(name, any_other), name) for name in offered]
    highest = max((rank for rank, _ in ranked), default=0.0)
    if highest < ranks.get("identity", 0.0):
        return ""
    return next((name for rank, name in ranked if rank == highest > 0), "")


def _parts(accepted: str) -> Iterable[tuple[str, str | None]]:
    found = (_ONE.fullmatch(part.strip()) for part in accepted.split(","))
    return [(one[1], one[2]) for one in found if one]
