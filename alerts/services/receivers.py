"""Where an account, or the host, wants notices posted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItemPerMinute

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.principals import Principal
from alerts.channels.answers import Told
from alerts.channels.table import try_out
from alerts.channels.webhook import new_secret
from alerts.models import ChannelName, Notice, NoticeDelivery, Posting, Receiver
from alerts.models.receivers import NAME_MAX_LENGTH, POSTED
from alerts.services.places import get_place
from alerts.telling import GIVEN_UP_AFTER
from common.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from common.rate_limits import RateLimit
from common.validation import clean_text
from pipelines.custom_http.checking import clean_endpoint

#: Of one account, and of the host.
MOST = 10
#: For so many hours the former secret signs, too, at most.
MAX_OVERLAP_HOURS = 168
DEFAULT_OVERLAP_HOURS = 24

_SHOWN = {"channel": _("Channel"), "host": _("Host")}
ADD_RECEIVER = Act("add alert channel", _("had alerts sent to %(subject)s"), _SHOWN)
ROTATE_RECEIVER = Act("rotate alert channel", _("gave the alerts to %(subject)s a new secret"))
ENABLE_RECEIVER = Act("enable alert channel", _("switched the alerts to %(subject)s on again"))
TEST_RECEIVER = Act("test alert channel", _("sent a test to %(subject)s"))
REMOVE_RECEIVER = Act("remove alert channel", _("had no more alerts sent to %(subject)s"))

_RATE = RateLimit("test of an alert channel", RateLimitItemPerMinute(10))
#: A trial holds a thread of the web process for as long as the receiver takes: so many at once, and no more.
_at_once = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class IssuedReceiver:
    """A receiver with its new secret, the one time that anybody sees it; empty of one that nothing is signed for."""

    receiver: Receiver
    secret: str = field(repr=False)


@transaction.atomic
def add_receiver(*, principal: Principal, tenant_id: str | None, channel: str, name: str, url: str) -> IssuedReceiver:
    """Have notices posted to an address: of the account, or for the host of all accounts that are open to it.

    InvalidInput for an address that is none of the web's; where its name leads to is looked at when it is asked.
    """
    tenant = get_place(principal, tenant_id)
    if channel not in POSTED:
        raise InvalidInput("channel", "must be one of {names}.", names=", ".join(POSTED))
    name = clean_text("name", name, max_length=NAME_MAX_LENGTH)
    url = clean_endpoint("url", url)
    if Receiver.objects.filter(tenant=tenant).count() >= MOST:
        raise Conflict("There are {limit} channels already: remove one first.", limit=MOST)
    secret = new_secret() if channel == ChannelName.WEBHOOK else ""
    host = urlsplit(url).netloc
    receiver = Receiver(tenant=tenant, channel=channel, name=name, url=url, host=host, secret=secret or None)
    receiver.save(force_insert=True)
    changes = {"channel": [None, channel], "host": [None, host]}
    record(principal, ADD_RECEIVER, name, tenant=tenant, changes=changes)
    return IssuedReceiver(receiver, secret)


@transaction.atomic
def rotate_receiver(
    *,
    principal: Principal,
    tenant_id: str | None,
    receiver_id: UUID,
    overlap_hours: int = DEFAULT_OVERLAP_HOURS,
) -> IssuedReceiver:
    """Give a webhook a new secret. The one before signs along for ``overlap_hours``: two sign at most."""
    tenant, receiver = _find(principal, tenant_id, receiver_id)
    if receiver.channel != ChannelName.WEBHOOK:
        raise InvalidInput("id", "must be a webhook: only these are signed.")
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise InvalidInput("overlapHours", "must be a whole number from 0 to {limit}.", limit=MAX_OVERLAP_HOURS)
    secret = new_secret()
    receiver.former_secret = receiver.secret if overlap_hours else None
    receiver.former_secret_until = timezone.now() + timedelta(hours=overlap_hours) if overlap_hours else None
    receiver.secret = secret
    receiver.save(update_fields=["secret", "former_secret", "former_secret_until"])
    record(principal, ROTATE_RECEIVER, receiver.name, tenant=tenant)
    return IssuedReceiver(receiver, secret)


@transaction.atomic
def enable_receiver(*, principal: Principal, tenant_id: str | None, receiver_id: UUID) -> Receiver:
    """Switch a receiver on again that took nothing for a day; it gets what is not older than that."""
    tenant, receiver = _find(principal, tenant_id, receiver_id)
    if receiver.disabled_at:
        receiver.disabled_at = receiver.failing_since = receiver.waits_until = None
        receiver.failures = 0
        receiver.save(update_fields=["disabled_at", "failing_since", "waits_until", "failures"])
        old = NoticeDelivery.objects.filter(receiver=receiver, notice__created_at__lte=timezone.now() - GIVEN_UP_AFTER)
        old.exclude(due_at=None).update(due_at=None)
        record(principal, ENABLE_RECEIVER, receiver.name, tenant=tenant)
    return receiver


def try_receiver(*, principal: Principal, tenant_id: str | None, receiver_id: UUID) -> Posting:
    """Post a test at once; what was answered. TooManyRequests beyond ten a minute and account.

    No transaction is open while the receiver is waited for.
    """
    with transaction.atomic():
        tenant, receiver = _find(principal, tenant_id, receiver_id)
    whose = tenant.pk if tenant else "host"
    if not _RATE.hit(whose):
        raise TooManyRequests(_RATE.retry_after(whose))
    if not _at_once.acquire(blocking=False):
        raise TooManyRequests(1)
    try:
        with transaction.atomic():
            record(principal, TEST_RECEIVER, receiver.name, tenant=tenant)
        return try_out(receiver, Told(uuid4(), Notice.Kind.TEST, timezone.now()))
    finally:
        _at_once.release()


@transaction.atomic
def remove_receiver(*, principal: Principal, tenant_id: str | None, receiver_id: UUID) -> str:
    """Forget a receiver, its log and what is due to it; its name."""
    tenant, receiver = _find(principal, tenant_id, receiver_id)
    receiver.delete()
    record(principal, REMOVE_RECEIVER, receiver.name, tenant=tenant)
    return receiver.name


def _find(principal: Principal, tenant_id: str | None, receiver_id: UUID) -> tuple[Tenant | None, Receiver]:
    tenant = get_place(principal, tenant_id)
    receiver = Receiver.objects.filter(tenant=tenant, pk=receiver_id).first()
    if receiver is None:
        raise NotFound("id: there is no such channel.", field="id")
    return tenant, receiver
