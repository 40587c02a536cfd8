"""Reading what became of single events: the delivery log, with what waits, and the dead letters.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from accounts.audit import MASK
from accounts.models import Tenant
from common import budget
from common.cursors import clean_page_size, decode_cursor, encode_cursor
from common.errors import InvalidInput
from common.validation import refuse_control_characters
from events.delivery.batches import MAX_BYTES, Event, OutboxRecord, decode_rows
from events.delivery.explanations import NO_ANSWER, explain
from events.models import DELIVERIES_KEPT, DeadLetter, Delivery, OutboxRow
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.models import Pixel
from pixels.reads import get_pixel

__all__ = ["Delivered", "Page", "cursor_of_letter", "list_dead_letters", "list_deliveries", "masked_event"]

#: Of what waits, so many requests and events are looked at: the newest.
WAITING_ROWS = 200
WAITING_EVENTS = 1_000

Outcome = Delivery.Outcome
Listed = TypeVar("Listed")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: A cursor that somebody has made may name a time that is none.
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_ADDRESSES = frozenset({"event_source_url", "referrer_url"})
#: What a dead letter shows of an event ("Server Event Parameters" and "Custom Data Parameters" of Meta's reference).
_SHOWN = frozenset(
    {
        "event_name",
        "event_time",
        "event_id",
        "action_source",
        "opt_out",
        "messaging_channel",
        "data_processing_options",
        "data_processing_options_country",
        "data_processing_options_state",
    }
)
_NESTED: dict[str, frozenset[str]] = {
    "user_data": frozenset(),
    "custom_data": frozenset(
        {
            "currency",
            "value",
            "predicted_ltv",
            "num_items",
            "content_ids",
            "content_type",
            "content_category",
            "delivery_category",
        }
    ),
}
_USER = re.compile(r"\A(\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\]*)[^/\\]*@")
_AT = re.compile("@|%40")


@dataclass(frozen=True, slots=True)
class Page(Generic[Listed]):
    """A part of a list."""

    rows: list[Listed]
    has_next: bool
    #: Are there rows before these? False as well where nobody asks.
    has_previous: bool = False

    @classmethod
    def of(cls, rows: list[Listed], size: int, *, has_previous: bool = False) -> Page[Listed]:
        """The first ``size`` rows; one more tells that there are more."""
        return cls(rows[:size], len(rows) > size, has_previous)


class Delivered(NamedTuple):
    """An event in the delivery log; ``place`` falls from the first entry to the last.

    It begins with the time in microseconds, then those that wait come before others.
    """

    place: tuple[int, int, int, int]
    id: str
    at: datetime
    outcome: Delivery.Outcome
    event_name: str
    event_id: str
    event_time: datetime | None
    website: str
    detail: str = ""
    code: str = ""
    trace_id: str = ""

    @property
    def cursor(self) -> str:
        """The entry's place, for the next page."""
        return encode_cursor(*self.place)

    @property
    def explanation(self) -> str:
        """What its error code means."""
        return explain(self.code)


def list_deliveries(
    tenant: Tenant,
    pixel_id: str,
    *,
    outcome: Delivery.Outcome | None = None,
    event_name: str | None = None,
    name_part: str = "",
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Page[Delivered]:
    """The pixel's events, newest first: what became of them, and in their place by time those that wait.

    ``event_name`` is matched exactly, ``name_part`` anywhere in a name and whatever the case.
    """
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    size = clean_page_size(first)
    place = cast("list[int] | None", decode_cursor(after, int, int, int, int) if after else None)
    _check_event_name(event_name)

    def is_wanted(name: str) -> bool:
        return event_name in (None, name) and name_part.casefold() in name.casefold()

    decided = _decided(pixel, outcome)
    if event_name is not None:
        decided = decided.filter(event_name=event_name)
    if name_part:  # the log is bounded, and databases differ in what they take for the same letter
        names = decided.order_by().values_list("event_name", flat=True).distinct()
        decided = decided.filter(event_name__in=[name for name in names if is_wanted(name)])
    waiting = [entry for entry in _waiting(pixel) if is_wanted(entry.event_name)] if _may_wait(outcome) else []
    behind = _behind(place) if place else Q()
    entries = [entry for entry in waiting if place is None or entry.place < tuple(place)]
    entries += map(_delivered, decided.filter(behind)[: size + 1])
    entries.sort(key=attrgetter("place"), reverse=True)
    has_previous = (
        with_previous
        and place is not None
        and (any(entry.place >= tuple(place) for entry in waiting) or decided.exclude(behind).exists())
    )
    return Page.of(entries, size, has_previous=has_previous)


def _may_wait(outcome: Delivery.Outcome | None) -> bool:
    return outcome in (None, Outcome.WAITING)


def _decided(pixel: Pixel, outcome: Delivery.Outcome | None) -> QuerySet[Delivery]:
    """What became of the pixel's events, the newest first."""
    if outcome is Outcome.WAITING:
        return Delivery.objects.none()
    wanted = Q(outcome=outcome) if outcome else Q()
    recent = timezone.now() - DELIVERIES_KEPT
    return Delivery.objects.filter(wanted, pixel=pixel, at__gte=recent).order_by("-at", "-pk")


def _behind(place: Sequence[int]) -> Q:
    """The decided events whose place is behind this one."""
    microseconds, waits, pk, _ = place
    at = _EPOCH + min(microseconds, _LAST) * _MICROSECOND
    return Q(at__lt=at) | (Q(at=at) if waits else Q(at=at, pk__lt=pk))


def _check_event_name(event_name: str | None) -> None:
    if event_name is None:
        return
    refuse_control_characters("eventName", event_name)
    if not 1 <= len(event_name) <= EVENT_NAME_MAX_LENGTH:
        raise InvalidInput("eventName", f"must have 1 to {EVENT_NAME_MAX_LENGTH} characters.")


def _delivered(row: Delivery) -> Delivered:
    return Delivered(
        place=((row.at - _EPOCH) // _MICROSECOND, 0, row.pk, 0),
        id=f"Delivery:{row.pk}",
        at=row.at,
        outcome=Outcome(row.outcome),
        event_name=row.event_name,
        event_id=row.event_id,
        event_time=row.event_time,
        website=row.website,
        detail=row.detail,
        code=row.code,
        trace_id=row.trace_id,
    )


def _waiting(pixel: Pixel) -> list[Delivered]:
    """The newest events that wait, newest first: a bounded part of what may be millions."""
    # In the reverse order of the index: what is new, then what has been tried.
    newest = OutboxRow.objects.filter(pixel=pixel).order_by("counted", "-id")
    fitting = list(_fitting(newest.values_list("pk", "event_count", Length("body"))[:WAITING_ROWS]))
    budget.load(sum(events for _, events, _ in fitting), "deliveries")
    budget.load_bytes(lambda: sum(octets for *_, octets in fitting), "deliveries")
    chosen = [pk for pk, *_ in fitting]
    columns = OutboxRow.objects.filter(pk__in=chosen).values_list(
        "pixel__lane__silence", "pk", "received_at", "intake", "counted", "options", "event_count", "body"
    )
    rows = [
        (silence, OutboxRecord(pk, received_at, intake, counted, options, event_count, bytes(body)))
        for silence, pk, received_at, intake, counted, options, event_count, body in columns.order_by("-pk")
    ]
    entries = [_waits(pixel, silence or "", event) for silence, row in rows for event in reversed(decode_rows([row]))]
    return entries[:WAITING_EVENTS]


def _fitting(sizes: Any) -> Iterator[tuple[int, int, int]]:
    """The first rows, until there are events or bytes enough."""
    events = octets = 0
    for pk, row_events, row_octets in sizes:
        yield pk, row_events, row_octets
        events, octets = events + row_events, octets + row_octets
        if events >= WAITING_EVENTS or octets >= MAX_BYTES:
            return


def _waits(pixel: Pixel, silence: str, event: Event) -> Delivered:
    row = event.row
    return Delivered(
        place=((row.received_at - _EPOCH) // _MICROSECOND, 1, row.pk, event.index),
        id=f"Delivery:waiting:{row.pk}:{event.index}",
        at=row.received_at,
        outcome=Outcome.WAITING,
        event_name=event.name,
        event_id=event.event_id,
        event_time=datetime.fromtimestamp(event.time, UTC),
        website=event.website,
        # Where publishing has failed, the failure says what these events wait for.
        detail=NO_ANSWER if row.counted and silence else "",
        code=(pixel.api_error_code or "") if row.counted and not silence else "",
    )


def list_dead_letters(
    tenant: Tenant,
    pixel_id: str,
    *,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Page[DeadLetter]:
    """The pixel's events that Meta refused, the last failure first."""
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    size = clean_page_size(first)
    letters = DeadLetter.objects.filter(pixel=pixel)
    has_previous = False
    if after:
        moment, pk = cast("list[int]", decode_cursor(after, int, int))
        failed_at = _EPOCH + moment * _MICROSECOND
        behind = Q(failed_at__lt=failed_at) | Q(failed_at=failed_at, pk__lt=pk)
        has_previous = with_previous and letters.exclude(behind).exists()
        letters = letters.filter(behind)
    rows = letters.order_by("-failed_at", "-pk")[: size + 1]
    budget.load_bytes(lambda: sum(rows.values_list(Length("event"), flat=True)), "deadLetters")
    return Page.of(list(rows), size, has_previous=has_previous)


def cursor_of_letter(letter: DeadLetter) -> str:
    """The letter's place, for the next page."""
    return encode_cursor((letter.failed_at - _EPOCH) // _MICROSECOND, letter.pk)


def masked_event(letter: DeadLetter) -> dict[str, Any]:
    """The event as it would be sent, but for what may tell of the visitor: enough to see what Meta did not like.

    Shown are the fields that Meta's reference knows as impersonal, and the names of the others. Of addresses the host
    and the path are shown. What cannot be read is nothing.
    """
    try:
        event = msgspec.json.decode(bytes(letter.event))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {name: _masked(name, value) for name, value in event.items()} if isinstance(event, dict) else {}


def _masked(name: str, value: Any) -> Any:
    if name in _ADDRESSES:
        return _impersonal_part(value) if isinstance(value, str) else MASK
    if name in _NESTED and isinstance(value, dict):
        return {inner: each if inner in _NESTED[name] and _is_plain(each) else MASK for inner, each in value.items()}
    return value if name in _SHOWN and _is_plain(value) else MASK


def _is_plain(value: Any) -> bool:
    """A value, or a list of values: what a sender has hidden deeper was not read by Meta either."""
    values = value if isinstance(value, list) else [value]
    return not any(isinstance(each, dict | list) for each in values)


def _impersonal_part(address: str) -> str:
    """Without query and user; a path with an address of mail is no impersonal one."""
    address = _USER.sub(r"\1", re.split(r"[?#;]", address, maxsplit=1)[0])
    return MASK if _AT.search(address) else address
