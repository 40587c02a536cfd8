"""Rules about what stands in a row: each is found by an index that holds nothing but what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta
from typing import Any

from django.db.models import Q

from accounts.models import IngressDomain, TenantStatus
from accounts.services import api_accounts
from alerts.models import Receiver
from alerts.rules.found import PIXEL_COLUMNS, Found, Look, of_pixel
from events.delivery.explanations import explain
from events.gateway.lanes import ON_HOLD
from events.models import DestinationLane, Registration
from events.registration.explanations import explain_attempt
from pixels.models import Pixel

_DEACTIVATED = TenantStatus.DEACTIVATED
#: API accounts are looked at so long before they expire. They are told of when a quarter of their time is left, at
#: the earliest; and of one that was made for a day or less, its maker knows.
_AHEAD, _SHORT = timedelta(days=14), timedelta(days=1)
_LAST_PART = 4
#: Nobody has missed what expired so long ago.
_MISSED_FOR = timedelta(days=7)


def rejected_tokens(look: Look) -> Iterator[Found]:
    """Pixels whose access token Meta has rejected."""
    pixels = Pixel.objects.filter(bad_token=True, event_bridge_active=True).exclude(tenant__status=_DEACTIVATED)
    for row in pixels.order_by("pk").values(*PIXEL_COLUMNS, "api_error_code"):
        yield of_pixel(row, explanation=explain(row["api_error_code"]))


def held_destinations(look: Look) -> Iterator[Found]:
    """Destinations that refuse, and get nothing until somebody has changed them. Whoever holds one himself knows."""
    lanes = DestinationLane.objects.filter(held=True, destination__active=True).exclude(code=ON_HOLD)
    lanes = lanes.exclude(destination__tenant__status=_DEACTIVATED).select_related("destination")
    for lane in lanes.defer("destination__secrets").order_by("pk"):
        destination = lane.destination
        # What its server says may quote an event: that goes into no mail. Without a code, the gateway says it.
        facts = {"name": destination.name, "said": lane.code or lane.message.rstrip(".")}
        yield Found(f"destination {destination.uuid}", destination.tenant_id, None, destination.pk, facts=facts)


def refused_registrations(look: Look) -> Iterator[Found]:
    """Pixels that Meta does not let register."""
    rows = Registration.objects.filter(state=Registration.State.REFUSED, pixel__event_bridge_active=True)
    rows = rows.exclude(pixel__tenant__status=_DEACTIVATED).select_related("pixel").defer("pixel__access_token")
    for row in rows.order_by("pk"):
        pixel = {column: getattr(row.pixel, column) for column in PIXEL_COLUMNS}
        yield of_pixel(pixel, code=row.code, explanation=explain_attempt(row))


def domains_elsewhere(look: Look) -> Iterator[Found]:
    """Accounts' own domains of which the last daily check has found that they do not lead here."""
    verified = Q(status=IngressDomain.Status.VERIFIED)
    left = verified & Q(refusals__gt=0) | ~verified & Q(served_until__isnull=False)
    for domain in IngressDomain.objects.filter(left).exclude(tenant__status=_DEACTIVATED).order_by("pk"):
        facts = {"name": domain.ingress, "gateway": domain.target_domain}
        yield Found(f"domain {domain.tenant_id}", domain.tenant_id, facts=facts)


def expiring_api_accounts(look: Look) -> Iterator[Found]:
    """API accounts that expire soon, or have of late: ``value`` is in how many days."""
    soon = api_accounts.expiring_api_accounts(within=_AHEAD, now=look.now)
    columns = ("name", "created_at", "expires_at")
    rows: Iterable[Any] = soon.filter(expires_at__gt=look.now - _MISSED_FOR).values_list(*columns)
    for name, made, ends in rows:
        lifetime, left = ends - made, ends - look.now
        if lifetime > _SHORT and left * _LAST_PART <= lifetime:
            facts = {"name": name, "until": ends.astimezone(UTC).strftime("%Y-%m-%d %H:%M")}
            yield Found(f"api_account {name}", value=left / timedelta(days=1), facts=facts)


def receivers_switched_off(look: Look) -> Iterator[Found]:
    """Channels that took no notice for so long that they get none any more."""
    for receiver in Receiver.objects.filter(disabled_at__isnull=False).order_by("pk"):
        facts = {"name": receiver.name, "host": receiver.host}
        yield Found(f"receiver {receiver.pk}", receiver.tenant_id, facts=facts)
