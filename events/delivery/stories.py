"""All that is known of the events with one id: what became of each, and what was sent, where it is still there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable

from accounts.models import Tenant
from events.changes import Change, read
from events.delivery.ends import End, read_ends
from events.delivery.entries import Among, Delivered, From, Wanted
from events.delivery.masking import masked_event
from events.delivery.naming import GONE
from events.delivery.reads import list_deliveries_of
from events.intake.addresses import events_path
from events.models import DeadLetter, DestinationLetter, Road
from pipelines.models import Source
from pixels.models import Pixel

#: So many entries are shown, and so many events that were refused.
MOST_ENTRIES, MOST_SENT = 100, 40
_WORD = re.compile(r"\w+")
_KEY = re.compile(r'\s*"(\w+)":')


class Line(NamedTuple):
    """A line of an event's JSON; is it the field that Meta's message names?"""

    text: str
    is_named: bool


class Letter(NamedTuple):
    """An event that was refused: a pixel's by Meta, or a source's by a destination."""

    pk: int
    pixel_pk: int
    #: None where it is gone.
    source_pk: int | None
    to_pk: int
    event_name: str
    message: str
    event: bytes
    road: int
    #: What the intake changed of it, as it is stored.
    changes: str | None


class Sent(NamedTuple):
    """An event as it would be sent again, masked; the dead letter, where it is one."""

    lines: list[Line]
    identifiers: list[str]
    curl: str
    letter: Letter | None
    #: Of the destination that refused it; none of a pixel's event.
    destination_id: str = ""
    #: By name: that destination, or those for which it waits.
    to: str = ""


@dataclass(slots=True)
class Story:
    """The events of one name and id of a pixel or gateway source: what became of them, the newest first."""

    event_name: str
    #: None of a source that is gone.
    owner: Pixel | Source | None
    entries: list[Delivered] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    @property
    def of(self) -> str:
        """By name, for people."""
        return str(self.owner) if self.owner else GONE

    @property
    def pixel(self) -> Pixel | None:
        """None of a source's events."""
        return self.owner if isinstance(self.owner, Pixel) else None

    @property
    def changes(self) -> list[tuple[Road, Change]]:
        """What the gateway changed of them, by the road on which they came: each once, whatever became of them."""
        of_entries = [(entry.road, entry.changes) for entry in self.entries]
        letters = [sent.letter for sent in self.sent if sent.letter]
        of_letters = [(Road(each.road), read(each.changes, 1).of(0)) for each in letters if each.changes]
        found = {(road, change): None for road, changes in (*of_entries, *of_letters) for change in changes}
        return list(found)

    @property
    def has_both_roads(self) -> bool:
        """Did they come from servers and from browsers?"""
        of_letters = {Road(sent.letter.road) for sent in self.sent if sent.letter}
        return len({entry.road for entry in self.entries} | of_letters) > 1

    @property
    def waits(self) -> bool:
        """Is something to come of it?"""
        return any(From(entry.place[1]).waits for entry in self.entries)


def read_stories(tenant: Tenant, event_id: str) -> list[Story]:
    """By pixel or source, and name, the newest first; InvalidInput for what no id can be."""
    ends = read_ends(tenant)
    among, wanted = Among(ends.pixels, None), Wanted(event_id=event_id)
    page = list_deliveries_of(tenant, among, wanted, first=MOST_ENTRIES, ends=ends)
    pixels = {pixel.pk: pixel for pixel in ends.pixels}
    stories: dict[tuple[int, int, str], Story] = {}

    def story_of(pixel_pk: int, source_pk: int, event_name: str) -> Story:
        owner = pixels.get(pixel_pk) or ends.sources.get(source_pk)
        return stories.setdefault((pixel_pk, source_pk, event_name), Story(event_name, owner))

    for entry in page.rows:
        story_of(entry.pixel_pk, entry.source_pk, entry.event_name).entries.append(entry)
    for letter in _letters(tenant, event_id):
        story = story_of(letter.pixel_pk, letter.source_pk or 0, letter.event_name)
        story.sent.append(
            _sent(ends.address, story.owner, bytes(letter.event), letter, ends.destinations.get(letter.to_pk))
        )
    for story in stories.values():
        if waiting := [entry for entry in story.entries if entry.raw]:
            story.sent.append(_waits(ends.address, story.owner, waiting))
    return list(stories.values())


def _waits(address: str, owner: Pixel | Source | None, waiting: Sequence[Delivered]) -> Sent:
    """The newest, with the destinations for which the same waits."""
    stored = bytes(waiting[0].raw)
    there = sorted({entry.to for entry in waiting if entry.to and bytes(entry.raw) == stored})
    return _sent(address, owner, stored)._replace(to=", ".join(there))


def _letters(tenant: Tenant, event_id: str) -> list[Letter]:
    """What Meta refused of pixels' events, and destinations of the gateway of sources', the last failure first."""
    of_pixels = _told(
        DeadLetter.objects.filter(pixel__tenant=tenant, event_id=event_id),
        pixel_pk=F("pixel"),
        source_pk=Value(0),
        to_pk=Value(0),
    )
    of_sources = _told(
        DestinationLetter.objects.filter(destination__tenant=tenant, event_id=event_id),
        pixel_pk=Value(0),
        source_pk=F("source"),
        to_pk=F("destination"),
    )
    both = of_pixels.union(of_sources, all=True).order_by("-failed_at", "-pk")
    return [Letter(*values) for *values, _ in both[:MOST_SENT]]


def _told(letters: QuerySet[Any], **owners: Combinable) -> QuerySet[Any, Any]:
    columns: QuerySet[Any, Any] = letters.order_by().annotate(**owners).values_list(*Letter._fields, "failed_at")
    return columns


def _sent(
    address: str, owner: Pixel | Source | None, stored: bytes, letter: Letter | None = None, to: End | None = None
) -> Sent:
    event = masked_event(stored)
    user_data = event.get("user_data")
    return Sent(
        lines=_lines(event, letter.message if letter else ""),
        identifiers=sorted(user_data) if isinstance(user_data, dict) else [],
        curl=_curl(address, owner, event) if owner else "",
        letter=letter,
        destination_id=to.id if to else "",
        to=to.name if to else "",
    )


def _lines(event: dict[str, Any], message: str) -> list[Line]:
    words = set(_WORD.findall(message))
    return [
        Line(text, bool((key := _KEY.match(text)) and key[1] in words and not text.endswith(("{", "["))))
        for text in json.dumps(event, indent=2, ensure_ascii=False).splitlines()
    ]


def _curl(address: str, owner: Pixel | Source, event: dict[str, Any]) -> str:
    """A command that sends it; what is masked is to be filled in."""
    body = json.dumps({"data": [event]}, ensure_ascii=False)
    url = address + events_path(owner.pixel_id if isinstance(owner, Pixel) else owner.source_id)
    key = "?access_token=YOUR_ACCESS_KEY" if isinstance(owner, Pixel) and owner.require_access_key else ""
    return f"curl {shlex.quote(url + key)} -H 'Content-Type: application/json' -d {shlex.quote(body)}"
