"""Forgetting incidents that are long over, and what processes of the previous release leave behind, which delete
accounts, pixels and destinations and know no alerts (docs/decisions/0024-the-store.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Tenant
from alerts.models import Digest, Incident, Notice, NoticeDelivery, Posting, Receiver, RuleSetting, Schedule
from common.pruning import delete_in_parts
from pipelines.models import Destination
from pixels.models import Pixel

INCIDENTS_KEPT = timedelta(days=90)
POSTINGS_KEPT = timedelta(days=14)
#: The last one of an account keeps it from getting two a day.
DIGESTS_KEPT = timedelta(days=14)


def prune(now: datetime | None = None) -> None:
    """Delete old incidents with their notices, old lines of logs, and rows whose account or pixel is gone."""
    now = now or timezone.now()
    delete_in_parts(Incident.objects.filter(closed_at__lt=now - INCIDENTS_KEPT))
    no_tenant = Q(tenant__isnull=False) & ~Exists(Tenant.objects.filter(pk=OuterRef("tenant")))
    no_pixel = Q(pixel__isnull=False) & ~Exists(Pixel.objects.filter(pk=OuterRef("pixel")))
    no_goal = Q(destination__isnull=False) & ~Exists(Destination.objects.filter(pk=OuterRef("destination")))
    delete_in_parts(Incident.objects.filter(no_tenant | no_pixel | no_goal))
    delete_in_parts(RuleSetting.objects.filter(no_tenant | no_pixel))
    delete_in_parts(Posting.objects.filter(at__lt=now - POSTINGS_KEPT))
    delete_in_parts(Receiver.objects.filter(no_tenant))
    delete_in_parts(Schedule.objects.filter(no_tenant))
    delete_in_parts(Digest.objects.filter(no_tenant | Q(until__lt=now - DIGESTS_KEPT)))
    delete_in_parts(NoticeDelivery.objects.exclude(Exists(Notice.objects.filter(pk=OuterRef("notice")))))
