"""Ids that the gateway gives to events without one, by which Meta drops what is published twice."""

from __future__ import annotations

import uuid

#: Tells them from the senders' own: no other road can have the same.
_PREFIX = "gateway-"


def make_event_id() -> str:
    """A new one."""
    return f"{_PREFIX}{uuid.uuid4().hex}"


def is_made(event_id: str) -> bool:
    """Did the gateway make it? If a sender has made one up that looks so, it is taken for one."""
    return event_id.startswith(_PREFIX)
