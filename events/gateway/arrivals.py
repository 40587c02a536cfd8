"""What comes from one website of a source, as it comes: the events of the last minutes, each with what became of it.

The account's page asks every few seconds, so all that is read is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db.models import Case, F, Sum, Value, When
from django.utils import timezone

from common.errors import InvalidInput
from common.validation import refuse_control_characters
from events.delivery.ends import Ends, read_ends
from events.delivery.entries import Among, Delivered, Wanted, newest_first
from events.delivery.log.reading import LATER_LOOKS, Lines
from events.delivery.naming import GONE
from events.delivery.waiting_lists.reading import read_waiting
from events.figures.windows import last_minutes, within
from events.intake.event_ids import TEST_PREFIX
from events.models import OTHER, Counter, Road, SourceCounter
from filters.domains import host_of
from filters.matching import FilterSet, Kind, Rule, covering
from filters.models import DomainFilter, FilterState
from pipelines.models import Source

MINUTES = 15
#: Events that are shown, and entries of the log and of what waits from which they are put together.
MAX_EVENTS, MAX_ENTRIES = 25, 200
ADDRESS_MAX_LENGTH = 2_000
#: Other websites that are named where nothing comes from this one.
MAX_OTHERS = 5


class Fate(NamedTuple):
    """What became of an event at a destination, or is to become of it."""

    entry: Delivered
    destination: str


class Arrival(NamedTuple):
    """An event that has come."""

    first: Delivered
    fates: list[Fate]

    @property
    def is_test(self) -> bool:
        """Did a page of the portal's send it?"""
        return self.first.event_id.startswith(TEST_PREFIX)

    @property
    def came_at(self) -> datetime:
        """When; where that is not known, when something became of it."""
        return self.first.received_at or self.first.at


class Arrivals(NamedTuple):
    """Those of a website, the newest first."""

    events: list[Arrival]
    #: Are there more than are shown, or more than were looked at?
    has_more: bool
    #: Is there a destination to go to?
    leads_on: bool


class Silence(NamedTuple):
    """What is known where no event is shown."""

    #: So many of the website's were counted.
    counted: int
    #: Websites that events have come from instead.
    others: list[str]
    #: The account's filter that drops the website's, if one does.
    dropped_by: str


def read_website(field: str, text: str) -> str:
    """The host of an address, or of a domain, that somebody has written; InvalidInput for what is neither."""
    refuse_control_characters(field, text)
    text = text.strip()
    if len(text) > ADDRESS_MAX_LENGTH:
        raise InvalidInput(field, "must have at most {limit:,} characters.", limit=ADDRESS_MAX_LENGTH)
    host = host_of(text if "://" in text else f"https://{text}")
    if host is None or ("." not in host and host != "localhost"):
        raise InvalidInput(field, "must be a website's address, such as https://shop.example.com/.")
    return host


def read_arrivals(source: Source, website: str) -> Arrivals:
    """What has come of late from the website and those below it."""
    wanted = Wanted(domain=website, since=timezone.now() - timedelta(minutes=MINUTES))
    ends = read_ends(source.tenant, with_pixels=False)
    entries = read_waiting(Among((), None, source.pk), ends, wanted)
    logged = Lines(source.tenant_id, (), wanted, destinations=None, source=source.pk, most=LATER_LOOKS)
    entries += islice(logged, MAX_ENTRIES + 1)
    entries = newest_first(entries)
    events = _together(entries[:MAX_ENTRIES], ends)
    has_more = len(entries) > MAX_ENTRIES or len(events) > MAX_EVENTS or logged.stopped_at is not None
    leads_on = any(source.pk in end.sources for end in ends.destinations.values())
    return Arrivals(events[:MAX_EVENTS], has_more, leads_on)


def read_silence(source: Source, website: str) -> Silence:
    """What there is to say where nothing is shown of the website: one query."""
    told = {"source": source, "dimension": Counter.Dimension.WEBSITE}
    rows = SourceCounter.objects.filter(within(last_minutes(MINUTES), **told)).exclude(label=OTHER)
    sums = rows.order_by().values("label").annotate(n=Sum("received"), is_rule=Value(0)).filter(n__gt=0)
    filters = DomainFilter.objects.filter(tenant=source.tenant_id, pixel=None, domain__in=list(covering(website)))
    drops = Case(When(state=FilterState.DROP, then=1), default=0)
    rules = filters.order_by().annotate(label=F("domain"), n=drops, is_rule=Value(1))
    found = list(sums.values_list("label", "n", "is_rule").union(rules.values_list("label", "n", "is_rule"), all=True))
    counted = {label: n for label, n, is_rule in sorted(found, key=lambda row: (-row[1], row[0])) if not is_rule}
    own = {label for label in counted if website in covering(label)}
    others = [label for label in counted if label not in own]
    domains = [Rule(Kind.DOMAIN, label, None, bool(drops)) for label, drops, is_rule in found if is_rule]
    rule = FilterSet.of(domains, ()).dropped_by("", website)
    return Silence(sum(counted[label] for label in own), others[:MAX_OTHERS], rule.name if rule else "")


def _together(entries: Sequence[Delivered], ends: Ends) -> list[Arrival]:
    """The entries by event. An id may come again, and by both roads: these are events of their own."""
    found: dict[tuple[str, str, Road, datetime | None], Arrival] = {}
    for entry in entries:
        end = ends.destinations.get(entry.destination_pk)
        second = entry.received_at and entry.received_at.replace(microsecond=0)
        key = (entry.event_name, entry.event_id, entry.road, second)
        of_event = found.setdefault(key, Arrival(entry, []))
        of_event.fates.append(
            Fate(entry._replace(is_metas=end is not None and end.is_metas), end.name if end else GONE)
        )
    for arrival in found.values():
        arrival.fates.sort(key=lambda fate: fate.destination)
    return sorted(found.values(), key=lambda arrival: arrival.came_at, reverse=True)
