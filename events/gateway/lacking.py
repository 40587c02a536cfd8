"""What events of a source lack, by which Meta would find their people, count them once, or know their worth.

It is looked at where they are taken in, since no event is kept; as they came, before anything is completed.
"""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from events.delivery.batches import DECODED_TOGETHER, Batch, OutboxRecord
from events.figures.counting import Tally
from events.intake.event_ids import is_senders_own


class Lack(TextChoices):
    """The columns of ``SourceCounter`` that count it, and what pages say."""

    CONTACT = "lacks_contact", _("No e-mail address or telephone number")
    BROWSER_ID = "lacks_browser_id", _("No browser id (fbp)")
    IP_ADDRESS = "lacks_ip_address", _("No internet address of the visitor")
    EVENT_ID = "lacks_event_id", _("No event id of the sender's own")
    VALUE = "lacks_value", _("No value or currency")


#: These have a worth; of others it says little.
_WITH_VALUE = frozenset({"Purchase"})
#: Of a batch, events are counted by sets of lacks, of which there are few.
_BITS = {lack: 1 << place for place, lack in enumerate(Lack)}
_CONTACT, _BROWSER_ID, _IP_ADDRESS, _EVENT_ID, _VALUE = _BITS.values()


class _Person(msgspec.Struct, gc=False):
    em: object = None
    ph: object = None
    fbp: object = None
    client_ip_address: object = None


class _Data(msgspec.Struct, gc=False):
    value: object = None
    currency: object = None


class _Sent(msgspec.Struct, gc=False):
    event_name: str
    event_id: str = ""
    action_source: str = ""
    user_data: _Person | None = None
    custom_data: _Data | None = None


class _Kind(NamedTuple):
    minute: int
    name: str
    website: str
    road: int
    lacks: int


_decode = msgspec.json.Decoder(list[list[_Sent]], strict=False).decode
_NOBODY, _NO_DATA = _Person(), _Data()


def count_lacks(tally: Tally, batch: Batch) -> None:
    """Add what the batch's events lack, each to the minute in which it came."""
    kinds: Multiset[_Kind] = Multiset()
    first = 0
    for row, sent in zip(batch.rows, _read(batch.rows), strict=True):
        events = batch.events[first : first + row.event_count]
        first += row.event_count
        for event, one in zip(events, sent, strict=False):  # of what cannot be read, nothing is told
            if lacks := _lacks(one):
                kinds[_Kind(row.minute, event.name, event.website, row.road, lacks)] += 1
    for kind, n in kinds.items():
        at = datetime.fromtimestamp(kind.minute * 60, UTC)
        for lack, bit in _BITS.items():
            if kind.lacks & bit:
                tally.add(at, kind.name, kind.website, lack.value, n, road=kind.road)


def _read(rows: list[OutboxRecord]) -> Iterator[list[_Sent]]:
    """The events of each row; none where they cannot be read."""
    for first in range(0, len(rows), DECODED_TOGETHER):
        yield from _read_together(rows[first : first + DECODED_TOGETHER])


def _read_together(rows: list[OutboxRecord]) -> list[list[_Sent]]:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        sent = _decode(b"[%b]" % b",".join([row.body for row in rows]))
        if [len(events) for events in sent] == [row.event_count for row in rows]:
            return sent
    return [events for row in rows for events in _read_together([row])] if len(rows) > 1 else [[]]


def _lacks(sent: _Sent) -> int:
    """As a sum of bits."""
    person, found = sent.user_data or _NOBODY, 0
    if _is_empty(person.em) and _is_empty(person.ph):
        found |= _CONTACT
    if sent.action_source == "website":  # elsewhere there is no browser
        if not person.fbp:
            found |= _BROWSER_ID
        if not person.client_ip_address:
            found |= _IP_ADDRESS
    if not is_senders_own(sent.event_id):
        found |= _EVENT_ID
    if sent.event_name in _WITH_VALUE:
        data = sent.custom_data or _NO_DATA
        if data.value in (None, "") or not data.currency:  # nought is a value
            found |= _VALUE
    return found


def _is_empty(identifier: object) -> bool:
    return not identifier or identifier == [""]
