"""Ids that the gateway gives to events: to those without one, by which Meta drops what is published twice; to tests."""

from __future__ import annotations

import uuid

#: Tells them from the senders' own: no other road can have the same.
_PREFIX = "gateway-"
#: Those of events that people send from the portal to look what comes of it.
TEST_PREFIX = "test-"
#: Those of events that the script in visitors' browsers has given one: no server of the sender's knows it.
_SCRIPT_PREFIX = "cbq-"


def make_event_id() -> str:
    """A new one."""
    return f"{_PREFIX}{uuid.uuid4().hex}"


def is_made(event_id: str) -> bool:
    """Did the gateway make it? If a sender has made one up that looks so, it is taken for one."""
    return event_id.startswith(_PREFIX)


def is_senders_own(event_id: str) -> bool:
    """Did the sender choose it? Neither the gateway nor its script did."""
    return bool(event_id) and not event_id.startswith((_PREFIX, _SCRIPT_PREFIX))


def make_test_id() -> str:
    """A new one of a test."""
    return f"{TEST_PREFIX}{uuid.uuid4().hex}"
