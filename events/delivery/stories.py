"""All that is known of the events with one id: what became of each, and what was sent, where it is still there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from accounts.models import Tenant
from accounts.services.routing import address_of
from events.delivery.batches import OutboxRecord
from events.delivery.entries import Among, Delivered, From, Wanted
from events.delivery.masking import masked_event
from events.delivery.naming import GONE
from events.delivery.reads import list_deliveries_of
from events.intake.addresses import events_path
from events.models import DeadLetter, DestinationLetter, OutboxRow
from pipelines.ids import DESTINATION, id_of
from pipelines.models import Source
from pixels.models import Pixel

#: So many entries are shown, and so many events that are still there.
MOST_ENTRIES, MOST_SENT = 100, 20
_WORD = re.compile(r"\w+")
_KEY = re.compile(r'\s*"(\w+)":')


class Line(NamedTuple):
    """A line of an event's JSON; is it the field that Meta's message names?"""

    text: str
    is_named: bool


class Sent(NamedTuple):
    """An event as it would be sent again, masked; the dead letter, where it is one."""

    lines: list[Line]
    identifiers: list[str]
    curl: str
    letter: DeadLetter | DestinationLetter | None
    #: Of the destination that refused it; none of a pixel's event.
    destination_id: str = ""
    to: str = ""

    @property
    def key(self) -> str:
        """For its elements on a page."""
        return f"letter-{self.letter.pk}" if self.letter else "waiting"


@dataclass(slots=True)
class Story:
    """The events of one name and id of a pixel or gateway source: what became of them, the newest first."""

    #: By name, for people.
    of: str
    event_name: str
    #: None of a source's events.
    pixel: Pixel | None = None
    entries: list[Delivered] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Is something to come of it?"""
        return any(From(entry.place[1]).waits for entry in self.entries)


def read_stories(tenant: Tenant, pixels: Sequence[Pixel], event_id: str) -> list[Story]:
    """By pixel or source, and name, the newest first; InvalidInput for what no id can be."""
    page = list_deliveries_of(tenant, Among(pixels, None), Wanted(event_id=event_id), first=MOST_ENTRIES)
    by_pk = {pixel.pk: pixel for pixel in pixels}
    stories: dict[tuple[int, int, str], Story] = {}

    for entry in page.rows:
        story = Story(entry.of, entry.event_name, by_pk.get(entry.pixel_pk))
        stories.setdefault((entry.pixel_pk, entry.source_pk, entry.event_name), story).entries.append(entry)
    letters = DeadLetter.objects.filter(pixel__in=list(by_pk), event_id=event_id).order_by("-failed_at")
    for letter in letters[:MOST_SENT]:
        pixel = by_pk[letter.pixel_id]
        story = Story(str(pixel), letter.event_name, pixel)
        sent = _sent(tenant, pixel, bytes(letter.event), letter)
        stories.setdefault((pixel.pk, 0, letter.event_name), story).sent.append(sent)
    _add_refused_by_destinations(tenant, event_id, stories)
    for story in stories.values():
        if story.pixel:
            _add_waiting(tenant, story.pixel, story)
    return list(stories.values())


def _add_refused_by_destinations(tenant: Tenant, event_id: str, stories: dict[tuple[int, int, str], Story]) -> None:
    """What destinations of the gateway refused of sources' events."""
    letters = DestinationLetter.objects.filter(destination__tenant=tenant, event_id=event_id)
    for letter in letters.select_related("destination", "source").order_by("-failed_at")[:MOST_SENT]:
        of = str(letter.source) if letter.source else GONE
        story = stories.setdefault((0, letter.source_id or 0, letter.event_name), Story(of, letter.event_name))
        story.sent.append(_sent(tenant, letter.source, bytes(letter.event), letter))


def _add_waiting(tenant: Tenant, pixel: Pixel, story: Story) -> None:
    """The newest of the pixel's events that wait."""
    for entry in story.entries:
        _, stored, row_pk, index = entry.place
        if stored == From.OUTBOX and (row := OutboxRow.objects.filter(pk=row_pk, pixel=pixel).first()):
            raws = OutboxRecord(0, row.received_at, 0, True, "", row.event_count, bytes(row.body)).raws()
            story.sent.append(_sent(tenant, pixel, bytes(raws[index]), None))
            return


def _sent(
    tenant: Tenant, owner: Pixel | Source | None, stored: bytes, letter: DeadLetter | DestinationLetter | None
) -> Sent:
    event = masked_event(stored)
    user_data = event.get("user_data")
    destination = letter.destination if isinstance(letter, DestinationLetter) else None
    return Sent(
        lines=_lines(event, letter.message if letter else ""),
        identifiers=sorted(user_data) if isinstance(user_data, dict) else [],
        curl=_curl(tenant, owner, event) if owner else "",
        letter=letter,
        destination_id=id_of(DESTINATION, destination.uuid) if destination else "",
        to=destination.name if destination else "",
    )


def _lines(event: dict[str, Any], message: str) -> list[Line]:
    words = set(_WORD.findall(message))
    return [
        Line(text, bool((key := _KEY.match(text)) and key[1] in words and not text.endswith(("{", "["))))
        for text in json.dumps(event, indent=2, ensure_ascii=False).splitlines()
    ]


def _curl(tenant: Tenant, owner: Pixel | Source, event: dict[str, Any]) -> str:
    """A command that sends it; what is masked is to be filled in."""
    body = json.dumps({"data": [event]}, ensure_ascii=False)
    url = address_of(tenant) + events_path(owner.pixel_id if isinstance(owner, Pixel) else owner.source_id)
    key = "?access_token=YOUR_ACCESS_KEY" if isinstance(owner, Pixel) and owner.require_access_key else ""
    return f"curl {shlex.quote(url + key)} -H 'Content-Type: application/json' -d {shlex.quote(body)}"
