"""A pixel connection: which pixel an account sends events to, and how."""

from __future__ import annotations

import secrets
from typing import Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from accounts.borders import Borders
from accounts.models import Tenant
from common.secrets import SEALED_PREFIX, EncryptedTextField

PIXEL_ID_MAX_LENGTH = 20
NAME_MAX_LENGTH = 100
BUSINESS_ID_MAX_LENGTH = 64
EXTERNAL_ID_MAX_LENGTH = 255
ACCESS_TOKEN_MAX_LENGTH = 2_048


def new_access_key() -> str:
    """A random key (192 bits) that a pixel's senders can be asked for."""
    return secrets.token_urlsafe(24)


class PixelQuerySet(models.QuerySet["Pixel"]):
    """Pixels within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Pixels of the accounts that are open to the principal; others are simply not there."""
        if borders.is_system:
            return self
        return self.filter(tenant__in=Tenant.objects.open_to(borders))


class Pixel(models.Model):
    """One of Meta's pixels (data sets), connected in exactly one account."""

    # No index of its own: the one below starts with the tenant.
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="pixels", db_index=False, verbose_name="account")
    pixel_id = models.CharField("pixel id", max_length=PIXEL_ID_MAX_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_MAX_LENGTH, null=True, blank=True)
    business_id = models.CharField("business id", max_length=BUSINESS_ID_MAX_LENGTH)
    external_id = models.CharField("external id", max_length=EXTERNAL_ID_MAX_LENGTH, blank=True)
    api_version = models.CharField("Graph API version", max_length=10)
    access_token = EncryptedTextField(editable=False)
    access_key = models.CharField(max_length=64, default=new_access_key, editable=False)
    require_access_key = models.BooleanField("senders must send the access key", default=False)
    # A browser cannot keep a key: where one is required, browsers may send only if this is on.
    browsers_need_no_key = models.BooleanField("browsers send without the access key", default=False, db_default=False)
    # Domains; where there are any, browsers on pages of other websites send in vain.
    browser_websites = models.JSONField(
        "websites that may send", default=list, db_default=Value([], models.JSONField()), blank=True
    )

    event_bridge_active = models.BooleanField("receives events", default=True)
    publishing_enabled = models.BooleanField("publishes events", default=True)
    active = models.GeneratedField(
        expression=Q(event_bridge_active=True, publishing_enabled=True),  # type: ignore[arg-type]  # a Q serves
        output_field=models.BooleanField(),
        db_persist=True,
    )

    # How publishing goes; empty until events pass. Counts are kept by the minute (pixels/traffic.py).
    api_error_code = models.CharField("error of the Graph API", max_length=20, null=True, blank=True)
    bad_token = models.BooleanField("access token rejected", default=False)
    last_received = models.DateTimeField(null=True, blank=True)
    last_published = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)

    objects = PixelQuerySet.as_manager()

    class Meta:
        ordering = ["pixel_id"]
        indexes = [
            models.Index(fields=["tenant", "pixel_id"], name="pixel_of_tenant"),
            models.Index(fields=["id"], condition=Q(bad_token=True), name="pixel_with_bad_token"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(pixel_id__regex=r"\A[0-9]{1,20}\Z"), name="pixel_id_is_digits"),
            models.CheckConstraint(
                condition=Exact(Left(F("access_token"), len(SEALED_PREFIX)), SEALED_PREFIX),
                name="pixel_token_is_encrypted",
            ),
        ]

    @property
    def is_open_to_browsers(self) -> bool:
        """Is what browsers post taken, without a key?"""
        return not self.require_access_key or self.browsers_need_no_key

    def __str__(self) -> str:
        return f"{self.name} ({self.pixel_id})" if self.name else self.pixel_id


class PixelImport(models.Model):
    """A CSV file of pixels: looked at first, applied then. It holds access tokens, so it is forgotten soon."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="pixel_imports")
    created_at = models.DateTimeField(auto_now_add=True)
    # Somebody has seen what would happen, and wants it.
    started = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"Import of {self.created_at:%Y-%m-%d %H:%M:%S}"


class PixelImportRow(models.Model):
    """A line of the file, and what will, or did, become of it."""

    class Fate(models.TextChoices):
        """The first two are plans."""

        CONNECT = "connect", _("Will be connected")
        UPDATE = "update", _("Will be updated")
        CONNECTED = "connected", _("Connected")
        UPDATED = "updated", _("Updated")
        REFUSED = "refused", _("Refused")

    batch = models.ForeignKey(PixelImport, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    fate = models.CharField(max_length=10, choices=Fate.choices)
    reason = models.CharField(max_length=300, blank=True)
    # As they stand in the file, of refused lines as far as they can be shown.
    pixel_id = models.CharField(max_length=100)
    name = models.CharField(max_length=NAME_MAX_LENGTH, blank=True)
    business_id = models.CharField(max_length=BUSINESS_ID_MAX_LENGTH, blank=True)
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_LENGTH, blank=True)
    api_version = models.CharField(max_length=10, blank=True)
    # Erased with use: a line that will be applied has one.
    access_token = EncryptedTextField(null=True, editable=False)  # type: ignore[misc]

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_import_row_per_line")]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.pixel_id}"
