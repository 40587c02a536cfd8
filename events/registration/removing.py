"""Taking a registration back: what is left of a pixel that is gone, or that nobody wants registered any more."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.principals import SCHEDULE
from common.pruning import delete_in_parts
from events.models import Registration, Removal
from events.registration import leases
from events.registration.edge import Edge, NotDone
from events.registration.registrar import hold, instance_id
from events.retention import REMOVALS_KEPT
from pixels.models import Pixel

logger = logging.getLogger(__name__)

GIVE_UP = Act("give up removal", _("could not take back the registration of pixel %(subject)s with Meta"))


@transaction.atomic(savepoint=False)
def leave_removals(rows: QuerySet[Registration]) -> None:
    """Leave, in place of the rows, what it takes to remove from Meta what Meta may know of them.

    The rows are locked until the transaction ends: no worker takes one up that is about to go. One that has a row in
    hand is waited for, since it may be making a configuration at this moment.
    """
    now = timezone.now()
    locked = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
    left = [
        Removal(
            pixel_id=row.pixel.pixel_id,
            tenant_id=row.pixel.tenant_id,
            node=row.node,
            api_version=row.pixel.api_version,
            access_token=row.pixel.access_token,
            due_at=max(now, row.claimed_until or now),
        )
        for row in Registration.objects.filter(pk__in=locked).select_related("pixel")
        if row.was_tried
    ]
    Removal.objects.bulk_create(
        left,
        update_conflicts=True,
        unique_fields=["pixel_id"],
        update_fields=["tenant_id", "node", "api_version", "access_token", "due_at", "created_at", "claim"],
    )
    Registration.objects.filter(pk__in=locked).delete()


def take_over(rows: list[Registration], pixel_ids: dict[int, str]) -> None:
    """Give rows that are about to be made what is still to be removed of the same pixels, which then stays.

    A worker that is removing one at this moment is waited for. Where it is not known what Meta has, the row begins as
    one whose worker has died: if it goes before anybody has looked, Meta is asked all the same.
    """
    removals = Removal.objects.filter(pixel_id__in=pixel_ids.values()).order_by("pk").select_for_update()
    left = {removal.pixel_id: removal for removal in removals}
    for row in rows:
        removal = left.get(pixel_ids[row.pk])
        if removal is not None and row.due_at is not None:
            row.node = removal.node
            row.due_at = max(row.due_at, removal.claimed_until or row.due_at)
            if not row.node:
                row.claim, row.claimed_until = uuid4(), row.due_at
    Removal.objects.filter(pk__in=left).delete()


def remove(pixel_id: str) -> None:
    """Ask Meta to forget the pixel's registration; nothing is left of it here once Meta has confirmed.

    Does nothing where it is not due, another worker is at it, or the instance waits for an admin's word.
    """
    if hold() is not None:
        return
    row = leases.claim(Removal, pixel_id)
    if row is None:
        return
    try:
        _remove(row)
    except NotDone as error:
        logger.warning("Removing pixel %s from Meta: %s.", pixel_id, error.reason)
        leases.give_back_in_vain(row, error)
    except Exception as error:
        leases.give_back_in_vain(row, NotDone(type(error).__name__))
        raise
    else:
        leases.finish(row)


def _remove(row: Removal) -> None:
    edge = Edge(row.api_version, row.access_token.reveal())
    nodes = [row.node]
    if not row.node:
        own = instance_id()
        nodes = [each.node for each in edge.of_pixel(row.pixel_id) if each.instance_id == own]
    for node in nodes:
        try:
            edge.delete(node)
        except NotDone as error:
            if not error.is_gone:
                raise


def prune(now: datetime) -> None:
    """Forget the tokens of those that Meta has not confirmed in time; the audit log tells of them.

    And rows of pixels that a process of the previous release, which does not know them, has deleted.
    """
    delete_in_parts(Registration.objects.exclude(pixel__in=Pixel.objects.all()))
    for removal in Removal.objects.filter(created_at__lt=now - REMOVALS_KEPT).order_by("pk"):
        _give_up(removal)


@transaction.atomic
def _give_up(removal: Removal) -> None:
    """Unless its pixel has come again meanwhile."""
    if Removal.objects.filter(pk=removal.pk, created_at=removal.created_at).delete()[0]:
        tenant = Tenant.objects.filter(pk=removal.tenant_id).first()
        record(SCHEDULE, GIVE_UP, removal.pixel_id, tenant=tenant)
