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

from events.delivery.batches import Batch, Event, OutboxRecord
from events.figures.counting import Tally
from events.intake.event_ids import is_made


class Lack(TextChoices):
    """The columns of ``SourceCounter`` that count it, and what pages say."""

    CONTACT = "lacks_contact", _("No e-mail address or telephone number")
    BROWSER_ID = "lacks_browser_id", _("No browser id (fbp)")
    IP_ADDRESS = "lacks_ip_address", _("No internet address of the visitor")
    EVENT_ID = "lacks_event_id", _("No event id of the sender's own")
    VALUE = "lacks_value", _("No value or currency")


#: These have a worth; of others it says little.
_WITH_VALUE = frozenset({"Purchase"})
_NOTHING = msgspec.Raw()
#: Written so, a field says nothing.
_EMPTY = frozenset({b"", b"null", b'""', b"[]", b'[""]'})


class _Person(msgspec.Struct, gc=False):
    em: msgspec.Raw = _NOTHING
    ph: msgspec.Raw = _NOTHING
    fbp: msgspec.Raw = _NOTHING
    client_ip_address: msgspec.Raw = _NOTHING


class _Data(msgspec.Struct, gc=False):
    value: msgspec.Raw = _NOTHING
    currency: msgspec.Raw = _NOTHING


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
    lack: Lack


_decode = msgspec.json.Decoder(list[_Sent], strict=False).decode


def count_lacks(tally: Tally, batch: Batch) -> None:
    """Add what the batch's events lack, each to the minute in which it came."""
    by_row: dict[OutboxRecord, list[Event]] = {}
    for event in batch.events:
        by_row.setdefault(event.row, []).append(event)
    kinds = Multiset(kind for row, events in by_row.items() for kind in _of_row(row, events))
    for kind, n in kinds.items():
        at = datetime.fromtimestamp(kind.minute * 60, UTC)
        tally.add(at, kind.name, kind.website, kind.lack.value, n, road=kind.road)


def _of_row(row: OutboxRecord, events: list[Event]) -> Iterator[_Kind]:
    """Of what cannot be read, nothing is told."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        sent = _decode(row.body)
        if len(sent) == len(events):
            for event, one in zip(events, sent, strict=True):
                for lack in _lacks(one):
                    yield _Kind(row.minute, event.name, event.website, row.road, lack)


def _lacks(sent: _Sent) -> Iterator[Lack]:
    person, data = sent.user_data or _Person(), sent.custom_data or _Data()
    if _is_empty(person.em) and _is_empty(person.ph):
        yield Lack.CONTACT
    if sent.action_source == "website":  # elsewhere there is no browser
        if _is_empty(person.fbp):
            yield Lack.BROWSER_ID
        if _is_empty(person.client_ip_address):
            yield Lack.IP_ADDRESS
    if not sent.event_id or is_made(sent.event_id):
        yield Lack.EVENT_ID
    if sent.event_name in _WITH_VALUE and (_is_empty(data.value) or _is_empty(data.currency)):
        yield Lack.VALUE


def _is_empty(raw: msgspec.Raw) -> bool:
    return bytes(raw) in _EMPTY
