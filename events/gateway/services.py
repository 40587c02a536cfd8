"""What people do about events that a destination did not take: send or discard dead letters, and try it at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from events.delivery.replaying import REPLAYED_AT_ONCE, no_such_letter, number_of, put_back, request_of
from events.figures.books import DESTINATIONS
from events.gateway import lanes
from events.intake import wakeups
from events.models import EVENT_MAX_AGE, DestinationLetter, DestinationRow
from pipelines.lookups import find_gateway_destination, to_edit
from pipelines.models import Destination

REPLAY = Act("send refused event", _("sent the refused event %(subject)s again"))
REPLAY_ALL = Act(
    "send refused events", _("sent the refused events of the destination %(subject)s again"), {"replayed": _("Events")}
)
DISCARD = Act("discard refused event", _("discarded the refused event %(subject)s of a destination"))
DISCARD_ALL = Act(
    "discard refused events",
    _("discarded the refused events of the destination %(subject)s"),
    {"discarded": _("Events")},
)
HOLD = Act("hold destination", _("let the events of the destination %(subject)s wait"))
RETRY = Act("retry destination", _("let the destination %(subject)s be sent to at once"))


@transaction.atomic
def replay_letter(
    *, principal: Principal, tenant_id: str, dead_letter_id: str, destination_id: str | None = None
) -> None:
    """Send the event again, as if it had waited since it came; of the destination alone, where one is named."""
    tenant = to_edit(principal, tenant_id)
    letter = _find_letter(tenant, dead_letter_id, destination_id)
    if not _put_back(letter.destination_id, [letter.pk]):
        raise InvalidInput("id", "the event is older than 7 days, and is sent no more.")
    record(principal, REPLAY, letter, tenant=tenant)


@transaction.atomic
def replay_letters(*, principal: Principal, tenant_id: str, destination_id: str) -> int:
    """Send the destination's dead letters again, the oldest first; the number of them, REPLAYED_AT_ONCE at most.

    Those that are older than 7 days stay where they are.
    """
    tenant = to_edit(principal, tenant_id)
    destination = _find_destination(tenant, destination_id)
    recent = destination.dead_letters.filter(received_at__gt=timezone.now() - EVENT_MAX_AGE)
    pks = recent.order_by("failed_at", "pk").values_list("pk", flat=True)[:REPLAYED_AT_ONCE]
    count = _put_back(destination.pk, pks)
    if count:
        record(principal, REPLAY_ALL, destination, tenant=tenant, changes={"replayed": [None, count]})
    return count


@transaction.atomic
def discard_letter(
    *, principal: Principal, tenant_id: str, dead_letter_id: str, destination_id: str | None = None
) -> None:
    """Forget the event, of the destination alone where one is named; it stays counted as failed."""
    tenant = to_edit(principal, tenant_id)
    letter = _find_letter(tenant, dead_letter_id, destination_id)
    record(principal, DISCARD, letter, tenant=tenant)
    letter.delete()


@transaction.atomic
def discard_letters(*, principal: Principal, tenant_id: str, destination_id: str) -> int:
    """Forget all the destination's dead letters, which stay counted as failed; the number of them."""
    tenant = to_edit(principal, tenant_id)
    destination = _find_destination(tenant, destination_id)
    count, _by_model = destination.dead_letters.all().delete()
    if count:
        record(principal, DISCARD_ALL, destination, tenant=tenant, changes={"discarded": [None, count]})
    return count


@transaction.atomic
def hold_destination(*, principal: Principal, tenant_id: str, destination_id: str) -> None:
    """Let the destination's events wait until somebody has them sent, or changes its configuration."""
    tenant = to_edit(principal, tenant_id)
    destination = _find_destination(tenant, destination_id)
    record(principal, HOLD, destination, tenant=tenant)
    lanes.hold(destination.pk)


@transaction.atomic
def retry_destination(*, principal: Principal, tenant_id: str, destination_id: str) -> None:
    """Let the destination's waiting events be sent now, whatever they wait for: a change, or the end of a wait."""
    tenant = to_edit(principal, tenant_id)
    destination = _find_destination(tenant, destination_id)
    record(principal, RETRY, destination, tenant=tenant)
    lanes.release_hold(destination.pk)


def _find_destination(tenant: Tenant, destination_id: str) -> Destination:
    return find_gateway_destination(tenant, destination_id, field="destinationId")


def _find_letter(tenant: Tenant, dead_letter_id: str, destination_id: str | None) -> DestinationLetter:
    """The account's, or the named destination's. The account is locked: a letter is there for one replay."""
    letters = DestinationLetter.objects.filter(destination__tenant=tenant).defer("event")
    if destination_id is not None:
        letters = letters.filter(destination=_find_destination(tenant, destination_id))
    letter = letters.filter(pk=number_of(dead_letter_id)).first()
    if letter is None:
        raise no_such_letter()
    return letter


def _put_back(destination_pk: int, letter_pks: Iterable[int]) -> int:
    count = put_back(DestinationLetter, letter_pks, _waiting_again, DESTINATIONS, destination_pk)
    if count:
        transaction.on_commit(partial(wakeups.wake_destination, destination_pk))
    return count


def _waiting_again(letter: DestinationLetter) -> DestinationRow:
    return DestinationRow(destination_id=letter.destination_id, source_id=letter.source_id, **request_of(letter))
