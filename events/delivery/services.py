"""What people do about events that did not pass: replay or discard dead letters, and try a pixel again at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput, NotFound
from events.delivery import lanes
from events.figures.counting import Tally
from events.intake import wakeups
from events.models import EVENT_MAX_AGE, DeadLetter, OutboxRow
from pixels.reads import get_pixel

REPLAY = Act("replay dead letter", _("published the refused event %(subject)s again"))
REPLAY_ALL = Act(
    "replay dead letters",
    _("published the refused events of pixel %(subject)s again"),
    {"replayed": _("Events")},
)
DISCARD = Act("discard dead letter", _("discarded the refused event %(subject)s"))
DISCARD_ALL = Act(
    "discard dead letters", _("discarded the refused events of pixel %(subject)s"), {"discarded": _("Events")}
)
RETRY = Act("retry publishing", _("let pixel %(subject)s publish at once"))


#: One call replays so many of a pixel's dead letters; further ones wait for the next call.
REPLAYED_AT_ONCE = 10_000


class _Time(msgspec.Struct):
    event_time: float = math.inf


_decode_time = msgspec.json.Decoder(_Time, strict=False).decode

#: So many events are held in memory.
_CHUNK = 200


@transaction.atomic
def replay_dead_letter(
    *, principal: Principal, tenant_id: str, dead_letter_id: str, pixel_id: str | None = None
) -> None:
    """Publish the event again, as if it had waited since it came; of the pixel alone, where one is named."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    letter = _get_letter(tenant, dead_letter_id, pixel_id)
    if not _put_back(letter.pixel_id, [letter.pk]):
        raise InvalidInput("id", "the event is older than 7 days, and Meta takes it no more.")
    record(principal, REPLAY, letter, tenant=tenant)


@transaction.atomic
def replay_dead_letters(*, principal: Principal, tenant_id: str, pixel_id: str) -> int:
    """Publish the pixel's dead letters again, the oldest first; the number of them, REPLAYED_AT_ONCE at most.

    Those that are older than 7 days stay where they are: Meta takes them no more.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    recent = DeadLetter.objects.filter(pixel=pixel, received_at__gt=timezone.now() - EVENT_MAX_AGE)
    letters = recent.order_by("failed_at", "pk")
    count = _put_back(pixel.pk, letters.values_list("pk", flat=True)[:REPLAYED_AT_ONCE])
    if count:
        record(principal, REPLAY_ALL, pixel, tenant=tenant, changes={"replayed": [None, count]})
    return count


@transaction.atomic
def discard_dead_letter(
    *, principal: Principal, tenant_id: str, dead_letter_id: str, pixel_id: str | None = None
) -> None:
    """Forget the event, of the pixel alone where one is named; it stays counted as failed."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    letter = _get_letter(tenant, dead_letter_id, pixel_id)
    record(principal, DISCARD, letter, tenant=tenant)
    letter.delete()


@transaction.atomic
def discard_dead_letters(*, principal: Principal, tenant_id: str, pixel_id: str) -> int:
    """Forget all the pixel's dead letters, which stay counted as failed; the number of them."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    count, _ = DeadLetter.objects.filter(pixel=pixel).delete()
    if count:
        record(principal, DISCARD_ALL, pixel, tenant=tenant, changes={"discarded": [None, count]})
    return count


@transaction.atomic
def retry_publishing(*, principal: Principal, tenant_id: str, pixel_id: str) -> None:
    """Let the pixel's waiting events be published now, whatever they wait for: a new token or the end of a wait."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    record(principal, RETRY, pixel, tenant=tenant)
    lanes.release_hold(pixel.pk)


def _get_letter(tenant: Tenant, dead_letter_id: str, pixel_id: str | None) -> DeadLetter:
    """The account's dead letter, or the named pixel's: there is one for one replay, as the account is locked."""
    letters: QuerySet[DeadLetter] = DeadLetter.objects.filter(pixel__tenant=tenant).defer("event")
    if pixel_id is not None:
        letters = letters.filter(pixel=get_pixel(tenant, pixel_id, field="pixelId"))
    is_id = dead_letter_id.isascii() and dead_letter_id.isdigit() and len(dead_letter_id) <= 18
    letter = letters.filter(pk=int(dead_letter_id)).first() if is_id else None
    if letter is None:
        raise NotFound("id: this account has no such dead letter.", field="id")
    return letter


def _put_back(pixel_pk: int, letter_pks: Iterable[int]) -> int:
    """Turn dead letters into events that wait: they were received once, and have not failed any more."""
    tally = Tally()
    count = 0
    for letters in _in_chunks(list(letter_pks)):
        OutboxRow.objects.bulk_create(_waiting_again(letter) for letter in letters)
        for letter in letters:
            tally.add(letter.failed_at, letter.event_name, letter.website, "failed", -1, road=letter.road)
        DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters]).delete()
        count += len(letters)
    if count:
        tally.write(pixel_pk)
        transaction.on_commit(partial(wakeups.wake, pixel_pk))
    return count


def _in_chunks(pks: list[int]) -> Iterator[list[DeadLetter]]:
    for first in range(0, len(pks), _CHUNK):
        found = DeadLetter.objects.in_bulk(pks[first : first + _CHUNK])
        yield [found[pk] for pk in pks[first : first + _CHUNK] if pk in found and not _is_over(found[pk])]


def _is_over(letter: DeadLetter) -> bool:
    """Would the event expire at once, or fail, and be gone?"""
    try:
        event_time = _decode_time(bytes(letter.event)).event_time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    return min(event_time, letter.received_at.timestamp()) <= (timezone.now() - EVENT_MAX_AGE).timestamp()


def _waiting_again(letter: DeadLetter) -> OutboxRow:
    return OutboxRow(
        pixel_id=letter.pixel_id,
        received_at=letter.received_at,
        counted=True,
        event_count=1,
        body=b"[%b]" % bytes(letter.event),
        options=letter.options,
        road=letter.road,
    )
