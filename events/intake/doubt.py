"""Events of which it is in doubt whose they are.

The intake leaves out what Meta cannot use. Where that was somebody's e-mail address, telephone number or id, the worker
must know: the event may be another person's than it looks (docs/decisions/0020-enrichment.md). The mark is a space
before the event's last bracket. It is no part of what the JSON says, so it changes nothing for Meta or for workers of
the previous release, and it stays with the event wherever its bytes are kept. The intake writes no other spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

from events.intake.left_out import LeftOut, Reason

#: Two people differ in one of these. A name or a city may differ between two orders of one person.
TELLING = ("external_id", "em", "ph")

_TELLING_PATHS = frozenset(f"user_data.{field}" for field in TELLING)
_MARKED_END = b" }"


def raises_doubt(left_out: Iterable[LeftOut]) -> bool:
    """Was something left out that says who it is? A placeholder says nothing, as does a field that is not there."""
    return any(one.field in _TELLING_PATHS and one.reason is not Reason.NOTHING for one in left_out)


def marked(event: dict[str, Any]) -> orjson.Fragment:
    """The event as JSON, marked."""
    return orjson.Fragment(orjson.dumps(event)[:-1] + _MARKED_END)


def is_marked(raw: msgspec.Raw | bytes) -> bool:
    """Was the event stored with the mark?"""
    return memoryview(raw)[-len(_MARKED_END) :] == _MARKED_END
