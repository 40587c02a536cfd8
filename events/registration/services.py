"""What people do about registration: ask for it, take it back, and say that a copy of an instance may register."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant, is_allowed, require
from accounts.principals import Principal
from common.errors import Conflict
from events.models import Registration
from events.registration import leases
from events.registration.changes import start
from events.registration.registrar import Obstacle, give_word, hold, obstacle
from events.registration.removing import leave_removals
from pipelines.models import PixelPipeline
from pixels.models import Pixel
from pixels.reads import get_pixel, pixel_keys
from pixels.validation import clean_pixel_ids

REGISTER = Act("register pixel", _("let Meta be told of pixel %(subject)s"))
REPLACE = Act("register pixel in place", _("let pixel %(subject)s be registered with Meta in place of another gateway"))
_PIXELS = {"pixels": _("Pixels")}
REGISTER_ALL = Act("register pixels", _("let Meta be told of pixels that were not registered"), _PIXELS)
REPLACE_ALL = Act(
    "register pixels in place", _("let pixels be registered with Meta in place of other gateways"), _PIXELS
)
UNREGISTER = Act("unregister pixel", _("took back the registration of pixel %(subject)s with Meta"))
ALLOW = Act("allow registration", _("let this portal register pixels with Meta as %(subject)s"))

State = Registration.State

#: So many accounts are gone through while somebody waits for the page.
ACCOUNTS_AT_ONCE = 200


@transaction.atomic
def register_pixel(*, principal: Principal, tenant_id: str, pixel_id: str, replace: bool = False) -> None:
    """Have the pixel registered now, whatever Meta has said before; with ``replace``, in place of another gateway.

    Of a pixel that is registered, Meta is told everything anew.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    _refuse_unreachable()
    _forget_no([pixel])
    _ask([pixel], Registration.objects.filter(pixel=pixel), may_replace=replace)
    record(principal, REPLACE if replace else REGISTER, pixel, tenant=tenant)


@transaction.atomic
def register_pixels(
    *, principal: Principal, tenant_id: str, pixel_ids: Sequence[str] | None = None, replace: bool = False
) -> int:
    """Have those of the pixels registered that are not, or that Meta has refused; the number of them.

    Without ``pixel_ids``, of all the account's but those of which somebody has said that they shall not be (createOB).
    With ``replace``, in place of other gateways.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixels = tenant.pixels.defer("access_token")
    wanted = not_registered()
    if pixel_ids:
        pixels = pixels.filter(pixel_id__in=clean_pixel_ids(pixel_ids, pixel_keys(tenant)))
        wanted = _lacks_registration()
    _refuse_unreachable()
    lacking = list(pixels.filter(wanted))
    if pixel_ids:
        _forget_no(lacking)
    count = _ask(lacking, Registration.objects.filter(pixel__in=lacking), may_replace=replace)
    if count:
        record(
            principal,
            REPLACE_ALL if replace else REGISTER_ALL,
            tenant,
            tenant=tenant,
            changes={"pixels": [None, count]},
        )
    return count


def not_registered() -> Q:
    """The condition of pixels that have no registration, or one that Meta has refused, and may be registered."""
    return _lacks_registration() & ~Q(pipeline__registers=False)


def _lacks_registration() -> Q:
    return Q(registration=None) | Q(registration__state=State.REFUSED)


def _forget_no(pixels: Sequence[Pixel]) -> None:
    """Whoever asks for a pixel by name wants it registered, whatever was said when it was connected."""
    PixelPipeline.objects.filter(pixel__in=pixels, registers=False).update(registers=True)


def _refuse_unreachable() -> None:
    if obstacle() is Obstacle.NOT_PUBLIC:
        raise Conflict("The gateway's address is no public https address, so Meta cannot be told of it.")


def _ask(pixels: Sequence[Pixel], rows: QuerySet[Registration], *, may_replace: bool = False) -> int:
    """Make the rows that lack, and have all be told now; the account is locked."""
    known = leases.set_due(rows, timezone.now(), state=State.WAITING, failures=0, told="", may_replace=may_replace)
    if known < len(pixels):
        there = set(rows.values_list("pk", flat=True))
        start([pixel for pixel in pixels if pixel.pk not in there], may_replace=may_replace)
    return len(pixels)


@transaction.atomic
def unregister_pixel(*, principal: Principal, tenant_id: str, pixel_id: str) -> None:
    """Have Meta forget the pixel's registration; it is not registered again until somebody asks for it."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id, field="pixelId")
    rows = Registration.objects.filter(pixel=pixel)
    if not rows.exists():
        raise Conflict("pixelId: this pixel is not registered.", field="pixelId")
    leave_removals(rows)
    record(principal, UNREGISTER, pixel, tenant=tenant)


@transaction.atomic
def allow_registration(*, principal: Principal) -> None:
    """Let an instance that was restored from a backup, or has another address now, register pixels, and tell all."""
    require(principal, Action.EDIT_HOST)
    if hold() is None:
        raise Conflict("Nothing waits for your word.")
    give_word()
    leases.set_due(Registration.objects.exclude(state=State.REFUSED), timezone.now())
    record(principal, ALLOW, settings.BASE_URL)


def register_everywhere(*, principal: Principal) -> int:
    """``register_pixels`` in accounts in which the principal may, ACCOUNTS_AT_ONCE in a call; the number of pixels."""
    tenants = accounts_to_register(principal)[:ACCOUNTS_AT_ONCE]
    return sum(register_pixels(principal=principal, tenant_id=tenant.pk) for tenant in tenants)


def accounts_to_register(principal: Principal) -> list[Tenant]:
    """The accounts of which the principal may have pixels registered that are not."""
    pixels = Pixel.objects.filter(not_registered())
    tenants = Tenant.objects.open_to(principal.borders).filter(pk__in=pixels.order_by().values("tenant"))
    return [tenant for tenant in tenants.order_by("pk") if is_allowed(principal, Action.EDIT_DATA, tenant)]
