"""Registration with Meta: which pixels' browsers are to post to this gateway, and what is left to be taken back
(docs/decisions/0031-registration.md)."""

from __future__ import annotations

from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.borders import Borders
from accounts.models import Tenant
from accounts.models.tenant import ID_LENGTH
from common.secrets import EncryptedTextField
from events.models.flow import OwnedByPixelQuerySet
from pixels.models import PIXEL_ID_MAX_LENGTH, Pixel

#: Meta's ids of nodes are digits.
NODE_MAX_LENGTH = 40


class Attempt(models.Model):
    """Something that Meta is to be told, tried until it is done: when, by whom, and what Meta has said last."""

    # When somebody shall look. Empty while a worker does, unless something has changed meanwhile; and where all waits
    # for a person.
    due_at = models.DateTimeField("next attempt", null=True)
    # A worker's lease. That of a killed worker runs out, and the row is due again.
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # Attempts in vain since the last success.
    failures = models.PositiveIntegerField(default=0)
    # Meta's code and message; or what came instead of an answer: "ReadTimeout", "HTTP 502".
    code = models.CharField(max_length=30, blank=True, default="")
    message = models.CharField(max_length=500, blank=True, default="")
    silence = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="%(class)s_due"),
            models.Index(fields=["claimed_until"], condition=Q(claim__isnull=False), name="%(class)s_claimed"),
        ]


class Registration(Attempt):
    """A pixel that is registered, or shall be. One without a row is not, and nobody has asked for it."""

    class State(models.TextChoices):
        """How it stands; ``REFUSED`` waits for a person."""

        WAITING = "WAITING", _("Waiting")
        REGISTERED = "REGISTERED", _("Registered")
        REFUSED = "REFUSED", _("Refused")

    # Without a constraint, as in every new table (``pixel_of_new_table``).
    pixel = models.OneToOneField(
        Pixel, models.CASCADE, primary_key=True, related_name="registration", db_constraint=False
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # Meta's id of the configuration; empty until there is one.
    node = models.CharField("Meta's id", max_length=NODE_MAX_LENGTH, blank=True, default="")
    # Of what Meta was last told: a digest, the address, and when.
    told = models.CharField(max_length=64, blank=True, default="")
    endpoint = models.CharField("address", max_length=300, blank=True, default="")
    told_at = models.DateTimeField(null=True)
    # Somebody has said that the gateway shall take the place of another one that is registered.
    may_replace = models.BooleanField(default=False)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta(Attempt.Meta):
        verbose_name = "registration with Meta"
        verbose_name_plural = "registrations with Meta"
        indexes = [
            *Attempt.Meta.indexes,
            models.Index(fields=["pixel"], condition=Q(state="REFUSED"), name="registration_refused"),
        ]

    def __str__(self) -> str:
        return f"Registration of {self.pixel_id}"

    @property
    def was_tried(self) -> bool:
        """May Meta know something of it? ``failures`` do not tell: whoever tries again starts them anew."""
        return bool(self.node or self.claim or self.code or self.silence)


class RemovalQuerySet(models.QuerySet["Removal"]):
    """Removals within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Those of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(tenant_id__in=Tenant.objects.open_to(borders).values("pk"))


class Removal(Attempt):
    """A registration to take back: its pixel is gone, and with it all but what Meta has to be asked with.

    Kept until Meta has confirmed, and for seven days at most.
    """

    # No foreign keys: the pixel is gone, and perhaps its account.
    pixel_id = models.CharField("pixel id", primary_key=True, max_length=PIXEL_ID_MAX_LENGTH)
    tenant_id = models.CharField("account", max_length=ID_LENGTH)
    # Empty where a worker may have been killed before it wrote down which it is.
    node = models.CharField("Meta's id", max_length=NODE_MAX_LENGTH, blank=True, default="")
    api_version = models.CharField("Graph API version", max_length=10)
    access_token = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RemovalQuerySet.as_manager()

    class Meta(Attempt.Meta):
        verbose_name = "removal from Meta"
        verbose_name_plural = "removals from Meta"

    def __str__(self) -> str:
        return f"Removal of {self.pixel_id}"


class Registrar(models.Model):
    """What this instance is to Meta: one row, made when it first registers a pixel or is restored from a backup."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # By this name Meta tells the instance's registrations from those of others.
    key = models.UUIDField(default=uuid4, editable=False)
    # The address under which the instance may register.
    base_url = models.CharField(max_length=300)
    # Since when it waits for an admin's word, as it may be a copy of one that still runs.
    restored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_registrar")]

    def __str__(self) -> str:
        return f"{self.key} at {self.base_url}"

    @property
    def has_moved(self) -> bool:
        """Is the instance reached by another address than when it was allowed to register?"""
        return self.base_url != settings.BASE_URL
