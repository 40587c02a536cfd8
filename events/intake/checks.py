"""The rules for an event (the contract: "The event path"), and what the intake adds to one.

Events are plain dictionaries, checked and completed where they stand: fields that no rule speaks of stay untouched.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from typing import Any

import orjson

from common.errors import InvalidInput
from common.validation import has_control_characters, refuse_control_characters
from events.intake.doubt import marked, raises_doubt
from events.intake.event_ids import make_event_id
from events.intake.event_list import EventList
from events.intake.hashing.user_data import are_ids, hash_identifiers
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.optional import are_surely_usable, leave_out_unusable, may_hold_secrets, take_out_secrets
from events.intake.visitors import Browser
from events.models import EVENT_MAX_AGE
from events.parameters.special import begins_web_address
from events.parameters.table import ACTION_SOURCES
from filters.models import EVENT_NAME_MAX_LENGTH

EVENT_ID_MAX_LENGTH = 100
_ACTION_SOURCES = frozenset(ACTION_SOURCES)

_MAX_AGE_SECONDS = int(EVENT_MAX_AGE.total_seconds())
_MAX_AHEAD_SECONDS = 600
# Seconds reach this in the year 5138; milliseconds did in 1973.
_SURELY_MILLISECONDS = 100_000_000_000


def prepare_events(
    sent: EventList,
    notes: Notes,
    browser: Browser | None = None,
    *,
    enriches: bool = False,
) -> bytes:
    """Check every event; leave out what cannot be used; add an id, hashes, and what the visitor's browser has shown.

    Returned they are as JSON, as they are then. What was left out or filled in stands in ``notes``.
    A website's event gets the user agent that it needs; the rest, only in an account that ``enriches`` events.
    Raises InvalidInput for the first event that breaks a rule, naming its index and field (``data[3].event_time``).
    """
    now = time.time()
    # What comes from a browser lacks what that shows.
    obey = bool(sent.written) and browser is None and _surely_obey(sent, now) and are_surely_usable(sent)
    if obey and sent.hold_hashes and are_ids(sent.people):
        return sent.written
    events = sent.events
    index = 0
    in_doubt: set[int] = set()
    try:
        for index, event in enumerate(events):
            notes.of_event(index)
            if not obey:
                _leave_out(event, notes)
                _complete(event, now, browser, notes, enriches=enriches)
            if raises_doubt(_hash(event["user_data"], notes)):
                in_doubt.add(index)
    except InvalidInput as error:
        path = f"data[{index}].{error.field}" if error.field else f"data[{index}]"
        raise InvalidInput(path, error.rule, **error.limits) from None
    written = orjson.dumps(events)
    has_secrets = may_hold_secrets(written)
    if has_secrets:
        _take_out_secrets(events, notes)
    if not (has_secrets or in_doubt):
        return written
    return orjson.dumps([marked(event) if index in in_doubt else event for index, event in enumerate(events)])


def _take_out_secrets(events: list[Any], notes: Notes) -> None:
    for index, event in enumerate(events):
        notes.of_event(index)
        take_out_secrets(event, notes)
        if not event["user_data"]:
            raise InvalidInput(f"data[{index}].user_data", "must be an object that says something of the customer.")


def _surely_obey(sent: EventList, now: float) -> bool:
    """Do all events have what they need, and lack nothing but hashes? Those of most senders do.

    It is told of all of them at once, value by value in C, in a fraction of the time that ``_complete`` takes. That
    alone refuses: to it are left the events of which this is not sure.
    """
    events = sent.events
    try:
        people = sent.people.rows
        names = {event["event_name"] for event in events}
        ids = [event["event_id"] for event in events]
        sources = [event["action_source"] for event in events]
        visits = [event for event, source in zip(events, sources, strict=True) if source == "website"]
        urls = [visit["event_source_url"] for visit in visits]
        return (
            all(people)
            and _are_times([event["event_time"] for event in events], now)
            and _are_texts(names, EVENT_NAME_MAX_LENGTH)
            and _are_texts(ids, EVENT_ID_MAX_LENGTH)
            and _ACTION_SOURCES.issuperset(sources)
            and all(["client_user_agent" in visit["user_data"] for visit in visits])  # noqa: C419  # faster
            and _are_printable("".join([*names, *ids, *urls]), sent.written)
        )
    except (KeyError, TypeError):  # a value is missing, or of another type
        return False


def _are_times(values: list[Any], now: float) -> bool:
    is_whole = set(map(type, values)) == {int}
    return is_whole and now - _MAX_AGE_SECONDS <= min(values) and max(values) <= now + _MAX_AHEAD_SECONDS


def _are_texts(values: Collection[Any], max_length: float = math.inf) -> bool:
    """Of 1 to so many characters; TypeError where one is no text."""
    "".join(values)
    lengths = set(map(len, values))
    return 0 not in lengths and max(lengths, default=0) <= max_length


def _are_printable(text: str, written: bytes) -> bool:
    """Is no character of this text, which is part of what is written, a control character?"""
    # JSON escapes those of ASCII, but for one: of most requests, that is told at a glance.
    return (written.isascii() and b"\\" not in written and b"\x7f" not in written) or text.isprintable()


def _leave_out(event: Any, notes: Notes) -> None:
    if type(event) is not dict:
        raise InvalidInput("", "must be an object.")
    user_data = event.get("user_data")
    if type(user_data) is not dict or not user_data:
        raise InvalidInput("user_data", "must be an object that says something of the customer.")
    leave_out_unusable(event, notes)


def _complete(event: dict[str, Any], now: float, browser: Browser | None, notes: Notes, *, enriches: bool) -> None:
    _check_text(event, "event_name", EVENT_NAME_MAX_LENGTH)
    _check_time(event.get("event_time"), now)
    _complete_id(event, notes)
    source, user_data = event.get("action_source"), event["user_data"]
    if source is None or source == "":
        source = _fill_source(event, browser, notes)
    if type(source) is not str or source not in _ACTION_SOURCES:
        raise InvalidInput("action_source", "must be one of {choices}.", choices=", ".join(ACTION_SOURCES))
    if browser is not None:
        _complete_user_data(user_data, browser, from_website=source == "website", enriches=enriches)
    if source == "website":
        _check_website(event.get("event_source_url"), user_data.get("client_user_agent"))


def _fill_source(event: dict[str, Any], browser: Browser | None, notes: Notes) -> str:
    """A website, if the event has what one needs, or its browser shows it: for what is filled, none is refused."""
    user_agent = event["user_data"].get("client_user_agent") or (browser.user_agent if browser else "")
    url = event.get("event_source_url")
    page = url if _is_page(url) else browser.page if browser else None
    source = "website" if user_agent and page else "other"
    event["action_source"] = source
    notes.fill("action_source", source)
    if source == "website" and page != url:
        event["event_source_url"] = page
        notes.fill("event_source_url", "the page that sent the event")
    return source


def _is_page(url: Any) -> bool:
    return type(url) is str and begins_web_address(url) is not None and not has_control_characters(url)


def _hash(user_data: dict[str, Any], notes: Notes) -> list[LeftOut]:
    left_out = hash_identifiers(user_data)
    for one in left_out:
        notes.leave_out(one)
    if not user_data:
        raise InvalidInput("user_data", "must hold a value that can be hashed, or another of Meta's parameters.")
    return left_out


def _check_text(event: dict[str, Any], field: str, max_length: int) -> None:
    value = event.get(field)
    if type(value) is not str or not 1 <= len(value) <= max_length:
        raise InvalidInput(field, "must be a text of 1 to {limit} characters.", limit=max_length)
    if not value.isprintable():  # which a control character is not, nor is many a space
        refuse_control_characters(field, value)


def _check_time(value: Any, now: float) -> None:
    if type(value) is not int:
        raise InvalidInput("event_time", "must be a whole number: the seconds since 1970.")
    if value >= _SURELY_MILLISECONDS:
        raise InvalidInput("event_time", "must be in seconds; this value is in milliseconds.")
    if value < now - _MAX_AGE_SECONDS:
        raise InvalidInput("event_time", "must be at most 7 days ago.")
    if value > now + _MAX_AHEAD_SECONDS:
        raise InvalidInput("event_time", "must be at most 10 minutes ahead.")


def _complete_id(event: dict[str, Any], notes: Notes) -> None:
    """An id for an event that has none, by which Meta drops what is published twice; a number is read as its text."""
    value = event.get("event_id")
    if type(value) is int:
        value = event["event_id"] = str(value)
    if type(value) is str and 1 <= len(value) <= EVENT_ID_MAX_LENGTH and not has_control_characters(value):
        return
    event["event_id"] = make_event_id()
    if value is not None and value != "":
        notes.leave_out(LeftOut("event_id", _reason_against_id(value)))


def _reason_against_id(value: Any) -> Reason:
    if type(value) is not str:
        return Reason.NO_SINGLE_TEXT
    return Reason.TOO_LONG if len(value) > EVENT_ID_MAX_LENGTH else Reason.CONTROL_CHARACTERS


def _complete_user_data(user_data: dict[str, Any], browser: Browser, *, from_website: bool, enriches: bool) -> None:
    if (from_website or enriches) and browser.user_agent and not user_data.get("client_user_agent"):
        user_data["client_user_agent"] = browser.user_agent
    if enriches and browser.address and not user_data.get("client_ip_address"):
        user_data["client_ip_address"] = browser.address


def _check_website(url: Any, user_agent: Any) -> None:
    if type(url) is not str or not begins_web_address(url):
        raise InvalidInput("event_source_url", "must be an http or https address, which an event of a website needs.")
    if not url.isprintable():
        refuse_control_characters("event_source_url", url)
    if type(user_agent) is not str or not user_agent:
        raise InvalidInput("user_data.client_user_agent", "must be a text, which an event of a website needs.")
