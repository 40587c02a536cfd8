"""Trying a destination: one event by its own road, and what came back. Nothing is counted, and no event is kept."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItemPerMinute

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput, TooManyRequests
from common.rate_limits import RateLimit
from common.validation import clean_text
from events.delivery.batches import OutboxRecord
from events.delivery.destinations.answers import Sample, Trial
from events.delivery.destinations.kinds import KINDS, TRIALS
from events.delivery.masking import masked_event
from events.intake.event_ids import make_test_id
from events.models import DestinationLetter, SourceRow
from pipelines.custom_http.parameters import SAMPLE
from pipelines.lookups import find_destination
from pipelines.models import Destination, DestinationType
from pipelines.services.configuration import secrets_of
from pixels.models import Pixel

#: An event that is made up, among those that can be chosen.
MADE_UP = "sample"
#: So many events that were refused are offered, and so many that wait.
OFFERED = 5
CODE_MAX_LENGTH = 100
#: Shorter texts say nothing of anybody, and are parts of everything.
_TELLING_LENGTH = 4
_MOST_OF_NOBODY = 999_999

TEST_DESTINATION = Act("test destination", _("sent a test event to the destination %(subject)s"))
A_MINUTE = 10
_RATE = RateLimit("test of a destination", RateLimitItemPerMinute(A_MINUTE))
#: A trial holds a thread of the web process for as long as the destination takes: so many at once, and of one account
#: fewer. So two people of an account are not in each other's way, and a slow destination is not in other accounts'.
MOST_AT_ONCE, MOST_OF_ACCOUNT = 3, 2
#: In seconds; by then a destination has answered or never will.
_SOON = 5
_lock = threading.Lock()
_under_way: Counter[str] = Counter()


class Recent(NamedTuple):
    """An event of the account's that the destination can be tried with."""

    key: str
    event_name: str
    event_id: str
    was_refused: bool


def recent_events(destination: Destination) -> list[Recent]:
    """What the destination refused last, and what came last and still waits for somebody: others are not kept."""
    letters = DestinationLetter.objects.filter(destination=destination).defer("event").order_by("-failed_at")
    refused = [Recent(f"letter-{each.pk}", each.event_name, each.event_id, True) for each in letters[:OFFERED]]
    waiting = []
    for row in _waiting(destination).order_by("-place")[:OFFERED]:
        if event := masked_event(first_of(row)):
            named = (str(event.get("event_name", "")), str(event.get("event_id", "")))
            waiting.append(Recent(f"row-{row.pk}", *named, was_refused=False))
    return [*refused, *waiting]


def try_destination(
    *,
    principal: Principal,
    tenant_id: str,
    destination_id: str,
    event: str = MADE_UP,
    test_event_code: str = "",
) -> Trial:
    """Send one event to the destination, as its events are sent; ``event`` is MADE_UP or the key of a recent one.

    Meta is told a ``test_event_code``, without which it would count the event. No transaction is open while the
    destination is waited for. TooManyRequests beyond ten a minute and account, and while others are under way.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    destination = _find(tenant, destination_id)
    secrets = secrets_of(destination)
    if KINDS[destination.type](destination.settings, secrets) is None:
        raise InvalidInput("id", "must be configured first.")
    sample = _sample(destination, event, _options(destination, test_event_code))
    with _one_more(tenant):
        with transaction.atomic():
            record(principal, TEST_DESTINATION, destination, tenant=tenant)
        return TRIALS[destination.type](destination.settings, secrets, sample)


@contextmanager
def _one_more(tenant: Tenant) -> Iterator[None]:
    """A trial of the account; one that has to come again because of others does not count against its minute."""
    with _lock:
        if _under_way.total() >= MOST_AT_ONCE or _under_way[tenant.pk] >= MOST_OF_ACCOUNT:
            raise TooManyRequests(_SOON, "Other tests are under way: try again in {seconds} seconds.", seconds=_SOON)
        _under_way[tenant.pk] += 1
    try:
        if not _RATE.hit(tenant.pk):
            left = _RATE.retry_after(tenant.pk)
            raise TooManyRequests(
                left,
                "An account may send {limit} tests a minute: try again in {seconds} seconds.",
                limit=A_MINUTE,
                seconds=left,
            )
        yield
    finally:
        with _lock:
            _under_way[tenant.pk] -= 1
            if not _under_way[tenant.pk]:
                del _under_way[tenant.pk]


def _find(tenant: Tenant, destination_id: str) -> Destination:
    found = find_destination(tenant, destination_id)
    if isinstance(found, Pixel):
        raise InvalidInput("id", "must be a destination of the gateway, not a Meta Pixel's.")
    if found.type not in TRIALS:
        raise InvalidInput("id", "must be a destination that events are sent to.")
    return found


def _options(destination: Destination, code: str) -> str:
    if destination.type != DestinationType.META_CONVERSIONS_API:
        return ""
    return orjson.dumps({"test_event_code": clean_text("test_event_code", code, max_length=CODE_MAX_LENGTH)}).decode()


def _sample(destination: Destination, key: str, options: str) -> Sample:
    if key == MADE_UP:
        made = {**SAMPLE, "event_time": int(time.time()), "event_id": make_test_id()}
        return Sample(orjson.dumps(made), made, options=options)
    stored = _stored(destination, key)
    shown = masked_event(stored)
    if not shown:
        raise InvalidInput("event", "is no longer there: choose another one.")
    told = set(_texts(shown))
    hidden = {text for text in _texts(orjson.loads(stored)) if len(text) >= _TELLING_LENGTH} - told
    return Sample(stored, shown, tuple(hidden), options)


def _stored(destination: Destination, key: str) -> bytes:
    """The event's JSON; empty where it is not there, or another destination's."""
    kind, _sep, number = key.partition("-")
    if not (number.isdecimal() and len(number) <= 18):
        return b""
    if kind == "letter":
        letter = DestinationLetter.objects.filter(destination=destination, pk=int(number)).first()
        return bytes(letter.event) if letter else b""
    row = _waiting(destination).filter(pk=int(number)).first()
    return first_of(row) if row else b""


def _waiting(destination: Destination) -> Any:
    """The requests of its sources that are still kept."""
    return SourceRow.objects.filter(source__cursors__destination=destination, place__isnull=False)


def first_of(row: SourceRow) -> bytes:
    """The JSON of the request's first event; empty where there is none."""
    record_ = OutboxRecord(0, row.received_at, 0, True, "", row.event_count, bytes(row.body))
    return bytes(next(iter(record_.raws()), b""))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value of JSON, and the numbers that may be somebody's: of a telephone, say."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and value > _MOST_OF_NOBODY:
        yield str(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
