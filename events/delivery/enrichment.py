"""Completing events with what is known of their visitors, in accounts that ask for it (``eventEnrichment``).

A visitor is known by ``external_id`` or ``fbp``, within one pixel, or one data set at Meta to which gateway sources'
events go. Remembered are hashes alone, for 90 days after the visitor has last given them; with the pixel or
destination, the account or the switch they are deleted.

Nobody's data may go out on somebody else's event (docs/decisions/0020-enrichment.md). A browser's memory completes an
event that says who it is only where both share an identifier; else the memory ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import Tenant
from events.changes import FROM_ADDRESS, REMEMBERED, Change
from events.delivery.batches import Event
from events.intake.click_ids import click_id_in
from events.intake.doubt import TELLING, is_marked
from events.intake.identifiers import HASHES_OF_NOTHING, is_fbc, is_fbp, is_no_id, sha256_in
from events.models import DestinationIdentity, Identity, Road
from events.retention import IDENTITIES_KEPT
from pipelines.models import Destination
from pixels.models import Pixel

#: What is remembered of a visitor and added to later events.
IDENTIFIERS = ("em", "ph", "fn", "ln", "ct", "st", "zp", "ge", "country")
#: What is told of an event to which one of them was added.
_COMPLETED = {name: Change(f"user_data.{name}", REMEMBERED) for name in IDENTIFIERS} | {
    "fbc": Change("user_data.fbc", FROM_ADDRESS)
}
#: Part of each key. A new number forgets all memories: also those that a process of the previous release still writes,
#: and those of an older backup.
_EPOCH = 3

#: In a memory, the names of what browsers' events alone have taught; and that one of them was of somebody else.
_BY_BROWSER, _CONTESTED = "by_browser", "contested"

#: That a visitor has given the same again is written down once in this time.
_REFRESH_AFTER = timedelta(days=1)
#: Of each identifier, and of external ids; nobody has more, but anybody can send more.
_MAX_VALUES = 5

#: Looked up in one statement, of which SQLite takes 32,766 parameters.
_KEYS_AT_ONCE = 10_000

#: Hashes by identifier; of ``external_id``, the keys.
Known = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Visitor:
    """Whom an event speaks of, and what it says of them."""

    #: What they are looked up by.
    customers: list[str]
    browsers: list[str]
    given: Known
    #: The intake had to leave out what would have told who it is.
    is_in_doubt: bool

    @property
    def says_who(self) -> bool:
        """Does the event tell one person from another, or did it try to?"""
        return bool(self.customers or self.given.get("em") or self.given.get("ph") or self.is_in_doubt)

    @property
    def keys(self) -> list[str]:
        """The shop's own id is believed before the browser's."""
        return self.customers + self.browsers


class _Content(msgspec.Struct):
    """What completing an event takes; the rest of it passes through as bytes."""

    event_time: float
    user_data: Any = None
    event_source_url: Any = None


_read = msgspec.json.Decoder(_Content, strict=False).decode
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def enrich(owner: Pixel | Destination, events: Iterable[Event]) -> None:
    """Add to events what they lack, and remember what they bring: a SELECT or few, one INSERT of what is new.

    The owner is the pixel that the events are sent to, or the destination at Meta.

    Events are taken in their order, so that one may complete those behind it. What an event says itself stays. An event
    to which nothing is added is left as it is, to the letter.
    """
    contents = [(event, _read(event.raw)) for event in events]
    visitors = [
        (event, content, _visitor(content.user_data, is_in_doubt=is_marked(event.raw)))
        for event, content in contents
        if isinstance(content.user_data, dict)  # as the intake has checked
    ]
    remembered = _Memory(owner, {key for *_, visitor in visitors for key in visitor.keys}, timezone.now())
    for event, content, visitor in visitors:
        by_browser = event.row.road == Road.BROWSER
        added = _click_id(content) | remembered.recall(visitor, by_browser=by_browser)
        remembered.learn(visitor, by_browser=by_browser)
        if added:
            event.enriched = _with(event.raw, content.user_data | added)
            event.completed = tuple(map(_COMPLETED.__getitem__, added))
    remembered.save()


def _with(raw: msgspec.Raw | bytes, user_data: dict[str, Any]) -> bytes:
    fields = _read_fields(raw)
    return msgspec.json.encode(fields | {"user_data": msgspec.Raw(msgspec.json.encode(user_data))})


def forget(tenant_id: str) -> None:
    """Delete what is remembered of an account's visitors."""
    Identity.objects.filter(pixel__tenant=tenant_id).delete()
    DestinationIdentity.objects.filter(destination__tenant=tenant_id).delete()


class _Memory:
    """What is known of the visitors of a batch; changes are written at its end."""

    def __init__(self, owner: Pixel | Destination, keys: set[str], now: datetime) -> None:
        self._tenant_id = owner.tenant_id
        self._table: type[models.Model] = Identity if isinstance(owner, Pixel) else DestinationIdentity
        self._of = {"pixel" if isinstance(owner, Pixel) else "destination": owner}
        self._now = now
        self._known: dict[str, Known] = {}
        self._fresh: set[str] = set()
        self._changed: set[str] = set()
        some_of = iter(keys)
        while some := list(islice(some_of, _KEYS_AT_ONCE)):
            self._load(some)

    def _load(self, keys: list[str]) -> None:
        since = self._now - IDENTITIES_KEPT
        rows = self._table._default_manager.filter(**self._of, key__in=keys, seen_at__gt=since)
        for key, identifiers, seen_at in rows.values_list("key", "identifiers", "seen_at"):
            self._known[key] = identifiers
            if seen_at > self._now - _REFRESH_AFTER:
                self._fresh.add(key)

    def recall(self, visitor: _Visitor, *, by_browser: bool) -> dict[str, Any]:
        """What the event lacks and is known. A memory of somebody else is given to nobody, and ends.

        Anybody can post what a browser may. So it ends no memory that a server has taught: until a server's event is
        of the same person, that one is given to nobody who does not share something with it.
        """
        person = visitor.given | {"external_id": visitor.customers}
        for key in visitor.keys:
            memory = self._known.get(key, {})
            is_believed = key in visitor.customers or not visitor.says_who or _share(memory, person)
            is_open = _CONTESTED not in memory or _share(memory, person)
            if is_believed and is_open and not _differ(memory, person):
                person = memory | {name: values for name, values in person.items() if values}
            elif by_browser and _is_taught_by_server(memory):
                self._keep(key, memory | {_CONTESTED: ["1"]})
            elif memory and (is_open or _differ(memory, person)):
                self._keep(key, {})
        if visitor.is_in_doubt:
            return {}
        return {name: hashes for name, hashes in person.items() if name in IDENTIFIERS and name not in visitor.given}

    def learn(self, visitor: _Visitor, *, by_browser: bool) -> None:
        """Keep what an event has given itself; the latest hashes of an identifier replace earlier ones.

        ``recall`` comes first: what it leaves of a browser's memory is of the person whom the event speaks of.
        """
        if visitor.is_in_doubt:
            return
        for key in visitor.customers:
            self._add(key, visitor.given, by_browser=by_browser)
        of_browser = visitor.given | {"external_id": visitor.customers} if visitor.customers else visitor.given
        for key in visitor.browsers:
            if visitor.says_who or not _says_who(self._known.get(key, {})):
                self._add(key, of_browser, by_browser=by_browser)

    def _add(self, key: str, given: Known, *, by_browser: bool) -> None:
        """What a server has taught, a browser's event does not replace: it fills what is missing."""
        before = self._known.get(key, {})
        of_browsers = set(before.get(_BY_BROWSER, ()))
        if by_browser:
            may_teach = _CONTESTED not in before
            given = {n: v for n, v in given.items() if may_teach and (n in of_browsers or not before.get(n))}
            of_browsers |= given.keys()
        else:
            of_browsers -= given.keys()
        after = {name: values for name, values in (before | given).items() if name != _BY_BROWSER}
        if not by_browser and not given.keys().isdisjoint(TELLING):
            after.pop(_CONTESTED, None)
        if of_browsers:
            after[_BY_BROWSER] = sorted(of_browsers)
        if given and (after != before or key not in self._fresh):
            self._keep(key, after)

    def _keep(self, key: str, known: Known) -> None:
        self._known[key] = known
        self._changed.add(key)
        self._fresh.add(key)

    def save(self) -> None:
        """Write what has changed. One worker at a time has the owner's lane; nobody else writes these rows."""
        rows = [
            self._table(**self._of, key=key, identifiers=self._known[key], seen_at=self._now)
            for key in sorted(self._changed)
        ]
        if not rows:
            return
        try:
            with transaction.atomic():
                if self._is_still_wanted():
                    self._table._default_manager.bulk_create(
                        rows,
                        update_conflicts=True,
                        unique_fields=[*self._of, "key"],
                        update_fields=["identifiers", "seen_at"],
                    )
        except IntegrityError:
            pass  # the owner was removed a moment ago, and its visitors with it

    def _is_still_wanted(self) -> bool:
        """Is the switch on? It cannot be turned off before this transaction is over, and then forgets its rows, too."""
        tenants = Tenant.objects.select_for_update(no_key=True).filter(pk=self._tenant_id, event_enrichment=True)
        return tenants.order_by().values_list("pk").first() is not None


def _is_taught_by_server(memory: Known) -> bool:
    return not memory.keys() <= {_BY_BROWSER, _CONTESTED, *memory.get(_BY_BROWSER, ())}


def _differ(memory: Known, person: Known) -> bool:
    """Do both say who it is, and nothing alike?"""
    return any(memory.get(name) and person.get(name) and set(memory[name]).isdisjoint(person[name]) for name in TELLING)


def _share(memory: Known, person: Known) -> bool:
    """Is one thing that says who it is the same in both?"""
    return any(not set(memory.get(name, ())).isdisjoint(person.get(name, ())) for name in TELLING)


def _says_who(memory: Known) -> bool:
    return any(memory.get(name) for name in TELLING)


def _visitor(user_data: dict[str, Any], *, is_in_doubt: bool) -> _Visitor:
    return _Visitor(
        customers=_keys("external_id", (_customer(text) for text in _texts(user_data.get("external_id")))),
        browsers=_keys("fbp", (_browser(text) for text in _texts(user_data.get("fbp")))),
        given={name: hashes for name in IDENTIFIERS if (hashes := _hashes(user_data.get(name)))},
        is_in_doubt=is_in_doubt,
    )


def _customer(text: str) -> str:
    """The same for an id and its hash; nothing for what is no identifier."""
    if is_no_id(text):
        return ""
    return sha256_in(text) or hashlib.sha256(text.strip().encode()).hexdigest()


def _browser(text: str) -> str:
    """An ``fbp`` without the appendix that some libraries add; nothing for what has not its form."""
    return ".".join(text.split(".")[:4]) if is_fbp(text) else ""


def _keys(kind: str, ids: Iterable[str]) -> list[str]:
    """What a visitor is looked up by: no id itself, but its hash, with the kind of id."""
    return [hashlib.sha256(f"{_EPOCH}:{kind}:{one}".encode()).hexdigest() for one in ids if one]


def _hashes(value: Any) -> list[str]:
    digests = map(sha256_in, _texts(value))
    return [digest for digest in digests if digest and digest not in HASHES_OF_NOTHING]


def _texts(value: Any) -> Iterator[str]:
    """The first few texts of a field that Meta takes as a text or a list of texts."""
    values = value if isinstance(value, list) else [value]
    for one in values[:_MAX_VALUES]:
        if isinstance(one, int) and not isinstance(one, bool):
            yield str(one)
        elif isinstance(one, str):
            yield one


def _click_id(content: _Content) -> dict[str, Any]:
    """``fbc`` from the page's address, unless the event has one that Meta can use: the same in every attempt."""
    fbc = content.user_data.get("fbc")
    if isinstance(fbc, str) and is_fbc(fbc):
        return {}
    made = click_id_in(content.event_source_url, content.event_time)
    return {"fbc": made} if made else {}
