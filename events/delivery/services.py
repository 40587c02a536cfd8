"""What people do about events that did not pass: replay or discard dead letters, and try a pixel again at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from events.delivery import lanes
from events.delivery.replaying import REPLAYED_AT_ONCE, no_such_letter, number_of, put_back, request_of
from events.figures.books import PIXELS
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
    letter = letters.filter(pk=number_of(dead_letter_id)).first()
    if letter is None:
        raise no_such_letter()
    return letter


def _put_back(pixel_pk: int, letter_pks: Iterable[int]) -> int:
    count = put_back(DeadLetter, letter_pks, _waiting_again, PIXELS, pixel_pk)
    if count:
        transaction.on_commit(partial(wakeups.wake, pixel_pk))
    return count


def _waiting_again(letter: DeadLetter) -> OutboxRow:
    return OutboxRow(pixel_id=letter.pixel_id, counted=True, **request_of(letter))
