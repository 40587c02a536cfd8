"""What follows for a pixel's registration from a change below, in the transaction of the change.

Pixels, filters and accounts know nothing of it: events/apps.py connects these to their signals. Whether Meta has to be
told is found out by the worker, which compares; and it does so once a day, whatever was noticed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Tenant
from events.models import Registration
from events.registration import leases
from events.registration.registrar import Obstacle, obstacle
from events.registration.removing import leave_removals, take_over
from pixels.models import Pixel

State = Registration.State

#: Columns of a pixel that Meta is told of, and those that Meta is asked with.
_TOLD = {"event_bridge_active", "publishing_enabled", "require_access_key", "browsers_need_no_key"}
_ASKED_WITH = {"access_token", "business_id", "api_version"}
#: Those of an account.
_TOLD_OF_TENANT = {"event_enrichment", "status"}


@transaction.atomic(savepoint=False)
def start(pixels: Sequence[Pixel], *, may_replace: bool = False) -> None:
    """Have pixels registered that have no row, as soon as the instance may."""
    rows = [Registration(pixel=pixel, due_at=timezone.now(), may_replace=may_replace) for pixel in pixels]
    take_over(rows, {pixel.pk: pixel.pixel_id for pixel in pixels})
    Registration.objects.bulk_create(rows, ignore_conflicts=True)


def on_pixel_saved(
    instance: Pixel, created: bool, raw: bool = False, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """A new pixel is registered; of one that is, Meta is told what has changed."""
    if raw:
        return
    if created:
        if obstacle() is not Obstacle.NOT_PUBLIC:
            start([instance])
        return
    rows = Registration.objects.filter(pixel=instance)
    if update_fields is None or update_fields & _ASKED_WITH:
        if leases.set_due(rows, timezone.now(), failures=0):
            rows.filter(state=State.REFUSED).update(state=State.WAITING)
    elif update_fields & _TOLD:
        _look_again(rows)


def on_registration_chosen(pixel: Pixel, registers: bool, **_: Any) -> None:
    """Somebody has said whether Meta is to be told of the pixel, while connecting it or later."""
    rows = Registration.objects.filter(pixel=pixel)
    if not registers:
        leave_removals(rows)
    elif obstacle() is not Obstacle.NOT_PUBLIC and not rows.exists():
        start([pixel])


def on_tenant_saved(
    instance: Tenant, created: bool, raw: bool = False, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """The switch of enrichment, or the account's end."""
    if not (raw or created) and (update_fields is None or update_fields & _TOLD_OF_TENANT):
        on_account_changed(instance.pk)


def on_domain_changed(instance: Any, raw: bool = False, **_: Any) -> None:
    """The address at which the account's events are taken may be another one."""
    if not raw:
        on_account_changed(instance.tenant_id)


def on_filters_changed(tenant: Tenant, **_: Any) -> None:
    """What an account drops is something else."""
    on_account_changed(tenant.pk)


def on_account_changed(tenant_id: str) -> None:
    """Something that holds for all pixels of the account."""
    _look_again(_of_tenant(tenant_id))


def on_pixel_deleted(instance: Pixel, **_: Any) -> None:
    """Meta is asked to forget it, later."""
    leave_removals(Registration.objects.filter(pixel=instance))


def on_tenant_deleted(instance: Tenant, **_: Any) -> None:
    """All pixels of the account at once."""
    leave_removals(_of_tenant(instance.pk))


def _of_tenant(tenant_id: str) -> QuerySet[Registration]:
    return Registration.objects.filter(pixel__in=Pixel.objects.filter(tenant=tenant_id))


def _look_again(rows: QuerySet[Registration]) -> None:
    """What waits is told the newest anyway; what Meta has refused, Meta refuses again."""
    leases.set_due(rows.filter(Q(state=State.REGISTERED) | Q(claim__isnull=False)), timezone.now())
