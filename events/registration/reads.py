"""How pixels stand with Meta, as pages and the API show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from common.budget import load, most_rows
from events.models import Registration, Removal
from events.registration.explanations import explain_attempt
from events.registration.registrar import Obstacle, obstacle
from events.registration.services import not_registered
from events.registration.telling import TAKEN_CODE
from pixels.models import Pixel
from pixels.reads import pixel_keys
from pixels.validation import clean_pixel_ids

State = Registration.State


class Standing(TextChoices):
    """Where a pixel stands with Meta; the first two are the instance's."""

    NOT_PUBLIC = "NOT_PUBLIC", _("Not possible")
    HELD = "HELD", _("Waits for the host")
    NOT_REGISTERED = "NOT_REGISTERED", _("Not registered")
    WAITING = "WAITING", _("Waiting")
    REGISTERED = "REGISTERED", _("Registered")
    REFUSED = "REFUSED", _("Refused")


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A pixel's registration; texts are empty where there is nothing to tell."""

    pixel_id: str
    standing: Standing
    obstacle: Obstacle | None
    is_asked_for: bool
    #: Of what Meta knows: its own id of it, the address, and when it was told.
    node: str = ""
    endpoint: str = ""
    told_at: datetime | None = None
    #: Something has changed since, and Meta is told soon.
    is_changing: bool = False
    failures: int = 0
    next_attempt_at: datetime | None = None
    code: str = ""
    message: str = ""
    explanation: str = ""

    @property
    def is_taken(self) -> bool:
        """Is another gateway registered? Its address is the message."""
        return self.code == TAKEN_CODE


def read_registration(pixel: Pixel) -> RegistrationView:
    """How the pixel stands: two queries, or one where its registration was read along."""
    return _view(pixel.pixel_id, getattr(pixel, "registration", None), obstacle())


def list_registrations(tenant: Tenant, pixel_ids: Sequence[str] | None = None) -> list[RegistrationView]:
    """How the account's pixels stand, by id; those that are named, where any are."""
    pixels = tenant.pixels.order_by("pixel_id")
    if pixel_ids:
        pixels = pixels.filter(pixel_id__in=clean_pixel_ids(pixel_ids, pixel_keys(tenant)))
    found = dict(pixels.values_list("pk", "pixel_id")[: most_rows()])
    load(len(found), "registrations")
    rows = Registration.objects.in_bulk(found)
    blocked_by = obstacle()
    return [_view(pixel_id, rows.get(pk), blocked_by) for pk, pixel_id in found.items()]


def _view(pixel_id: str, row: Registration | None, blocked_by: Obstacle | None) -> RegistrationView:
    if row is None:
        standing = Standing.NOT_PUBLIC if blocked_by is Obstacle.NOT_PUBLIC else Standing.NOT_REGISTERED
        return RegistrationView(pixel_id, standing, blocked_by, is_asked_for=False)
    is_due = bool(row.claim) or (row.due_at is not None and row.due_at <= timezone.now())
    return RegistrationView(
        pixel_id,
        _standing(row, blocked_by),
        blocked_by,
        is_asked_for=True,
        node=row.node,
        endpoint=row.endpoint,
        told_at=row.told_at,
        is_changing=row.state == State.REGISTERED and is_due,
        failures=row.failures,
        next_attempt_at=row.due_at if row.state == State.WAITING else None,
        code=row.code,
        message=row.message,
        explanation=explain_attempt(row),
    )


def _standing(row: Registration, blocked_by: Obstacle | None) -> Standing:
    if blocked_by is Obstacle.NOT_PUBLIC:
        return Standing.NOT_PUBLIC
    return Standing.HELD if blocked_by else Standing(row.state)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pixels stand how, and how many wait to be removed."""

    registered: int
    waiting: int
    refused: int
    #: Those that ``register_pixels`` would ask Meta about: without a registration, or refused.
    lacking: int
    removals: int = 0

    @property
    def not_asked_for(self) -> int:
        """Pixels that nobody has asked to register."""
        return self.lacking - self.refused


def count_registrations(tenants: Iterable[Tenant] | None = None) -> Tally:
    """Of the accounts, or of all: one query, and one for removals."""
    pixels = Pixel.objects.all() if tenants is None else Pixel.objects.filter(tenant__in=tenants)
    counts = pixels.aggregate(
        registered=Count("pk", filter=Q(registration__state=State.REGISTERED)),
        waiting=Count("pk", filter=Q(registration__state=State.WAITING)),
        refused=Count("pk", filter=Q(registration__state=State.REFUSED)),
        lacking=Count("pk", filter=not_registered()),
    )
    return Tally(**counts, removals=Removal.objects.count() if tenants is None else 0)
