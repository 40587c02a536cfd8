"""The events of a batch that are counted as received now, as far as their ids are in the pixel's sample."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Mapping
from contextlib import suppress
from operator import attrgetter
from zlib import crc32

import msgspec

from events.delivery.batches import Came, Event
from events.figures.id_sample import UNPAID_EVENTS, Levels, Masks
from events.figures.seen_ids import Arrival

_NAME_AND_ID = attrgetter("name", "event_id")

#: To look for an order takes longer than all else.
_WITHOUT_ORDERS = frozenset(UNPAID_EVENTS)
_ORDER_ID = b'"order_id"'
_LOOKED_AT = 8


class _CustomData(msgspec.Struct):
    order_id: object = None


class _Ordered(msgspec.Struct):
    custom_data: _CustomData | None = None


_decode = msgspec.json.Decoder(_Ordered).decode


def sampled_arrivals(came: Mapping[Came, list[Event]], levels: Levels) -> dict[Arrival, int]:
    """How many events came alike. What waited already was told when it came; what cannot be read has no id."""
    masks = Masks(levels)
    found: dict[Arrival, int] = {}
    for way, events in came.items():
        if way.counted:
            continue
        sampled = events
        if levels:
            sampled = [event for event in events if not crc32(event.event_id.encode()) & masks[event.name]]
        for (name, event_id, order), n in _alike(sampled).items():
            if event_id:
                found[Arrival(name, event_id, way.road, way.minute, order)] = n
    return found


def _alike(events: list[Event]) -> Multiset[tuple[str, str, int | None]]:
    """The events by name, id and order."""
    alike = Multiset(map(_NAME_AND_ID, events))
    found: Multiset[tuple[str, str, int | None]] = Multiset({(*one, None): n for one, n in alike.items()})
    if {name for name, _ in alike} <= _WITHOUT_ORDERS or not (orders := _orders(events)):
        return found
    for event, order in orders:
        found[event.name, event.event_id, None] -= 1
        found[event.name, event.event_id, order] += 1
    return +found


def _orders(events: list[Event]) -> list[tuple[Event, int]]:
    """The events that are of an order, each with a hash of it: of orders that differ in a few characters, never one.

    Senders give an id to all of their orders or to none: where the first requests hold none, no others are looked at.
    """
    may_be = [event for event in events if event.name not in _WITHOUT_ORDERS]
    rows = list(dict.fromkeys(event.row for event in may_be))
    if not any(_ORDER_ID in row.body for row in rows[:_LOOKED_AT]):
        return []
    with_orders = {row for row in rows if _ORDER_ID in row.body}
    read = ((event, _order_of(event)) for event in may_be if event.row in with_orders)
    return [(event, crc32(order.encode()) - 2**31) for event, order in read if order]


def _order_of(event: Event) -> str:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        custom_data = _decode(event.raw).custom_data
        if custom_data and type(custom_data.order_id) in (str, int):
            return str(custom_data.order_id).strip()
    return ""
