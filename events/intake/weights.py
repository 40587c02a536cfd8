"""How much a request weighs on the limit of its pixel."""

from __future__ import annotations

from django.conf import settings

from common.errors import InvalidInput
from events.intake.event_list import EventList
from events.intake.hashing.user_data import count_identifiers

#: A body counts as one request for each of these, and one more: of most senders, as one.
BYTES_A_REQUEST = 65_536
#: To normalise and hash an identifier takes as long as to read a hundred bytes, and its hash may be many times as long
#: as it is. Shops' events have 35 bytes for each.
BYTES_AN_IDENTIFIER = 30
#: So many an event, on the average, are never too many. More than the guide lists fit in one event.
IDENTIFIERS_AN_EVENT = 20


def weigh(sent: EventList, size: int) -> int:
    """How many requests does a body of ``size`` bytes count as?

    Short identifiers that are not hashed cost more than their bytes, and weigh more. InvalidInput where there are far
    more than shops send.
    """
    if not _may_hold_many_identifiers(sent, size):
        return 1 + size // BYTES_A_REQUEST
    count = count_identifiers(sent.events)
    limit = settings.INTAKE_MAX_EVENTS * IDENTIFIERS_AN_EVENT
    if count > limit + size // BYTES_AN_IDENTIFIER:
        raise InvalidInput(
            "data",
            "holds {count:,} short identifiers that are not hashed: send at most {limit:,} in a request.",
            count=count,
            limit=limit,
        )
    return 1 + max(size, count * BYTES_AN_IDENTIFIER) // BYTES_A_REQUEST


def _may_hold_many_identifiers(sent: EventList, size: int) -> bool:
    """May they weigh more than their bytes? An identifier needs two bytes, and a comma behind each other one."""
    if size * BYTES_AN_IDENTIFIER // 2 < BYTES_A_REQUEST:
        return False
    if sent.hold_hashes and "external_id" not in sent.people.names:
        return False  # a hash is longer than what it weighs
    return not sent.written or (sent.written.count(b",") + len(sent)) * BYTES_AN_IDENTIFIER > size
