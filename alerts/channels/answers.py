"""What became of an attempt to tell something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alerts.models import NoticeDelivery


@dataclass(frozen=True, slots=True)
class Taken:
    """It is told, or there is nobody to tell it to."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is tried again. ``is_away``: so would anything else fail that goes there now."""

    reason: str
    is_away: bool = True


Answer = Taken | Later
#: Delivers once, to whomever the channel reaches. It may raise OSError for ``Later``; ``notice.incident.tenant`` is
#: at hand.
Deliver = Callable[[NoticeDelivery], Answer]
