"""When an account is told: quiet hours and the daily digest."""

from __future__ import annotations

import re
from datetime import time

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from accounts.services.tenants import update_tenant
from alerts.looking import QUIET
from alerts.models import Notice, Schedule
from common.errors import InvalidInput

SET_SCHEDULE = Act(
    "set alert schedule",
    _("changed when %(subject)s is told of alerts"),
    {
        "quiet_from": _("Quiet from"),
        "quiet_until": _("Quiet until"),
        "severe_at_once": _("Severe alerts at once"),
        "digest_hour": _("Hour of the daily digest"),
    },
)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
#: Of a day.
LAST_HOUR = 23


@transaction.atomic
def set_schedule(
    *,
    principal: Principal,
    tenant_id: str,
    quiet_from: str | None,
    quiet_until: str | None,
    severe_at_once: bool = True,
    digest_hour: int | None,
    time_zone: str | None = None,
) -> Schedule:
    """Set the quiet hours, ``HH:MM`` each or none, and the hour of the digest, none for no digest.

    A ``time_zone`` that is given is the account's from now on. What waits for the end of quiet hours is looked at anew.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_SETTINGS, lock=True)
    start, end = _time("quietFrom", quiet_from), _time("quietUntil", quiet_until)
    if (start is None) != (end is None):
        raise InvalidInput("quietUntil" if end is None else "quietFrom", "is required: quiet hours have both ends.")
    if start is not None and start == end:
        raise InvalidInput("quietUntil", "must differ from the beginning of the quiet hours.")
    if digest_hour is not None and not 0 <= digest_hour <= LAST_HOUR:
        raise InvalidInput("digestHour", "must be between 0 and {most}.", most=LAST_HOUR)
    if time_zone is not None:
        tenant = update_tenant(principal=principal, tenant_id=tenant_id, time_zone=time_zone)
    row = schedule_of(tenant)
    new = {"quiet_from": start, "quiet_until": end, "severe_at_once": severe_at_once, "digest_hour": digest_hour}
    changes = {
        name: [_told(getattr(row, name)), _told(value)] for name, value in new.items() if getattr(row, name) != value
    }
    if not changes:
        return row
    for name, value in new.items():
        setattr(row, name, value)
    if "digest_hour" in changes:
        row.digest_since = timezone.now()
    row.save()
    _look_again(tenant)
    record(principal, SET_SCHEDULE, tenant, tenant=tenant, changes=changes)
    return row


def schedule_of(tenant: Tenant) -> Schedule:
    """The account's; one that is not saved where it has none."""
    return Schedule.objects.filter(tenant=tenant).first() or Schedule(tenant=tenant)


def _look_again(tenant: Tenant) -> None:
    """Longer than ``QUIET`` nothing waits but for the end of quiet hours."""
    now = timezone.now()
    held = Notice.objects.filter(incident__tenant=tenant, due_at__gt=now).filter(due_at__gt=F("created_at") + QUIET)
    held.update(due_at=now)


def _time(field: str, text: str | None) -> time | None:
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if not found:
        raise InvalidInput(field, "must be a time of the day, such as 22:00.")
    return time(int(found[1]), int(found[2]))


def _told(value: object) -> object:
    return f"{value:%H:%M}" if isinstance(value, time) else value
