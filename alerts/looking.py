"""Looking for trouble: incidents are opened, brought up to date and closed, and each new one is told once.

Two looks at once open nothing twice: a constraint holds one incident open for a rule and an object, and the notice is
written by whoever has written the incident, in the same transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alerts.models import Incident, Notice, NoticeDelivery, Pulse, RuleSetting
from alerts.rules.found import Found, Look, Rule
from alerts.rules.table import RULES
from common.bulk import insert_new

logger = logging.getLogger(__name__)

#: What comes and goes at a threshold is told once in this time; if it has gone by then, not again.
QUIET = timedelta(hours=1)

_COLUMNS = ("tenant_id", "pixel_id", "destination_id", "rule", "subject", "facts", "opened_at", "updated_at")


def look(now: datetime | None = None) -> None:
    """Look at every rule. One that fails keeps its incidents as they are, and no other from being looked at."""
    now = now or timezone.now()
    last = Pulse.objects.values_list("at", flat=True).first()
    for rule in RULES:
        try:
            look_at(rule, now, last)
        except Exception:
            logger.exception("The rule %s could not be looked at.", rule.name.value)
    Pulse.objects.update_or_create(pk=1, defaults={"at": now})


def look_at(rule: Rule, now: datetime, last: datetime | None = None) -> None:
    """Bring the rule's incidents up to date."""
    known = Incident.objects.filter(rule=rule.name, closed_at=None)
    open_before = {incident.subject: incident for incident in known}
    found = {each.subject: each for each in rule.find(Look(now, tuple(open_before.values()), last))}
    broken = {subject: found[subject] for subject in _broken(rule, found)}
    with transaction.atomic():
        _open(rule, [each for subject, each in broken.items() if subject not in open_before], now)
        _update(open_before, broken, now)
        _close(rule, [incident for subject, incident in open_before.items() if subject not in broken], now)


def _broken(rule: Rule, found: Mapping[str, Found]) -> list[str]:
    """The subjects at which the rule is broken, by what their accounts and pixels, or the host, have set."""
    settings = _settings(rule, found)
    broken = []
    for subject, each in found.items():
        of_account, of_pixel = settings.get((each.tenant_id, None)), settings.get((each.tenant_id, each.pixel))
        ours = [row for row in (of_pixel, of_account) if row is not None]
        thresholds = [row.threshold for row in ours if row.threshold is not None]
        if not any(row.muted for row in ours) and rule.is_broken(each.value, next(iter(thresholds), rule.threshold)):
            broken.append(subject)
    return broken


def _settings(rule: Rule, found: Mapping[str, Found]) -> dict[tuple[str | None, int | None], RuleSetting]:
    pixels = {each.pixel for each in found.values() if each.pixel}
    rows = RuleSetting.objects.filter(Q(pixel=None) | Q(pixel__in=pixels), _set_by(found.values()), rule=rule.name)
    return {(row.tenant_id, row.pixel_id): row for row in rows}


def _set_by(objects: Iterable[Found | Incident]) -> Q:
    """Settings of the accounts of these, and of the host for what is the host's."""
    tenants = {each.tenant_id for each in objects}
    of_accounts = Q(tenant__in=tenants - {None})
    return of_accounts | Q(tenant=None) if None in tenants else of_accounts


def _open(rule: Rule, new: list[Found], now: datetime) -> None:
    rows = [
        (each.tenant_id, each.pixel, each.destination, rule.name.value, each.subject, _as_json(each.facts), now, now)
        for each in sorted(new, key=lambda each: each.subject)
    ]
    opened = insert_new(Incident, _COLUMNS, rows, returned="id")
    subjects = dict(Incident.objects.filter(pk__in=opened).values_list("pk", "subject")) if opened else {}
    told = _told_of_late(rule, subjects.values(), now)
    Notice.objects.bulk_create(
        Notice(id=uuid4(), incident_id=pk, created_at=now, due_at=told[subject] + QUIET if subject in told else now)
        for pk, subject in subjects.items()
    )


def _told_of_late(rule: Rule, subjects: Iterable[str], now: datetime) -> dict[str, datetime]:
    """When each of these was told last, of those that have come back within ``QUIET``."""
    late = Incident.objects.filter(rule=rule.name, subject__in=list(subjects), opened_at__gt=now - QUIET)
    told = late.filter(notices__kind=Notice.Kind.OPENED, notices__deliveries__told_at__isnull=False)
    at = "notices__deliveries__told_at"
    return dict(told.order_by("opened_at", at).values_list("subject", at))


def _close(rule: Rule, gone: list[Incident], now: datetime) -> None:
    """Close them, and tell of those that were told that they are over; not where it is that somebody muted the rule."""
    Incident.objects.filter(pk__in=[each.pk for each in gone], closed_at=None).update(closed_at=now, updated_at=now)
    muted = RuleSetting.objects.filter(_set_by(gone), rule=rule.name, muted=True)
    places = set(muted.values_list("tenant_id", "pixel_id")) if gone else set()
    heard = [each.pk for each in gone if not places & {(each.tenant_id, None), (each.tenant_id, each.pixel_id)}]
    told = NoticeDelivery.objects.filter(notice__incident__in=heard, notice__kind=Notice.Kind.OPENED)
    Notice.objects.bulk_create(
        [
            Notice(id=uuid4(), incident_id=pk, kind=Notice.Kind.CLOSED, created_at=now, due_at=now)
            for pk in sorted(set(told.values_list("notice__incident", flat=True)))
        ],
        ignore_conflicts=True,  # two looks at once
    )


def _as_json(facts: Mapping[str, object]) -> str:
    return json.dumps(dict(facts))


def _update(before: Mapping[str, Incident], broken: Mapping[str, Found], now: datetime) -> None:
    changed = []
    for subject, incident in before.items():
        if subject in broken and incident.facts != dict(broken[subject].facts):
            incident.facts, incident.updated_at = dict(broken[subject].facts), now
            changed.append(incident)
    Incident.objects.bulk_update(changed, ["facts", "updated_at"], batch_size=500)
