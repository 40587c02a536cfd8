"""Pipelines, their sources and destinations (docs/decisions/0032-pipelines.md).

A Meta Pixel's pipeline is no row here: it is derived from the pixel, and ``PixelPipeline`` holds what somebody has
changed about it.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.borders import Borders
from accounts.models import Tenant
from common.secrets import EncryptedTextField, Secret
from pixels.models import NAME_MAX_LENGTH, PIXEL_ID_MAX_LENGTH, Pixel

TYPE_MAX_LENGTH = 30


class SourceType(models.TextChoices):
    """The reference's ``DataSourceType``. ``META_PIXEL`` is that of pixels, which have no row here."""

    META_PIXEL = "META_PIXEL", "Meta Pixel"
    ADVERTISER_HOSTED_PIXEL = "ADVERTISER_HOSTED_PIXEL", "Signals Gateway Pixel"
    ADVERTISER_HOSTED_SDK = "ADVERTISER_HOSTED_SDK", "Signals Gateway SDK"
    FILE_UPLOAD = "FILE_UPLOAD", "File upload"
    UNKNOWN = "UNKNOWN", "Unknown"


class DestinationType(models.TextChoices):
    """The reference's ``DataDestinationType``."""

    META_CONVERSIONS_API = "META_CONVERSIONS_API", "Meta Conversions API"
    CUSTOM_HTTP_API = "CUSTOM_HTTP_API", "Custom HTTP API"
    AUDIENCE_STORAGE = "AUDIENCE_STORAGE", "Audience storage"
    GOOGLE_BIGQUERY_API = "GOOGLE_BIGQUERY_API", "Google BigQuery"
    UNKNOWN = "UNKNOWN", "Unknown"


#: What a row here can be: a pixel is connected, and nothing is made of what is not known.
SOURCE_TYPES = (SourceType.ADVERTISER_HOSTED_PIXEL, SourceType.ADVERTISER_HOSTED_SDK, SourceType.FILE_UPLOAD)
DESTINATION_TYPES = tuple(kind for kind in DestinationType if kind is not DestinationType.UNKNOWN)


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows of accounts, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Those of the accounts that are open to the principal; others are simply not there."""
        if borders.is_system:
            return self
        return self.filter(tenant__in=Tenant.objects.open_to(borders))


class Owned(models.Model):
    """What an account has.

    Without a constraint to the account: processes of the previous release delete accounts, and do not know the table
    (docs/decisions/0024-the-store.md). What they leave behind, ``pipelines/pruning.py`` deletes.
    """

    tenant = models.ForeignKey(
        Tenant, models.CASCADE, related_name="%(class)ss", db_index=False, db_constraint=False, verbose_name="account"
    )
    name = models.CharField(max_length=NAME_MAX_LENGTH)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Filtered(models.Model):
    """Something that keeps events back by their names.

    The list blocks unless somebody has set the status to false; without a word the status is null, and what the API
    answers for null differs (browser.md, "Pipelines").
    """

    filter_status = models.BooleanField(null=True, blank=True)
    blocked_event_types = models.JSONField("blocked events", default=list, blank=True)

    class Meta:
        abstract = True

    @property
    def blocked(self) -> frozenset[str]:
        """The names of the events that do not pass."""
        return frozenset() if self.filter_status is False else frozenset(self.blocked_event_types)


class Pipeline(Filtered, Owned):
    """A GATEWAY_PIPELINE: from any number of sources to one destination of each type."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["tenant", "id"], name="pipeline_of_tenant")]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="pipeline_has_name")]


class Source(Owned):
    """What events come from; and, where it is a website's pixel, how the script in the page behaves."""

    source_id = models.CharField("source id", max_length=PIXEL_ID_MAX_LENGTH, unique=True)
    type = models.CharField(max_length=TYPE_MAX_LENGTH, choices=[(kind, kind.label) for kind in SOURCE_TYPES])
    enabled = models.BooleanField("the script sends events", default=True)
    enable_aam = models.BooleanField("automatic advanced matching", default=False)
    aam_fields = models.JSONField("fields of advanced matching", default=list, blank=True)
    first_party_cookie = models.BooleanField("first-party cookies", default=True)
    fork_meta_pixel = models.BooleanField("takes the calls of a Meta Pixel in the page", default=False)
    hash_contact_data = models.BooleanField("hashes contact data in the browser", default=False)
    # Runs in visitors' browsers, never here.
    custom_integrity_script = models.TextField("data filter", blank=True, default="")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["tenant", "id"], name="source_of_tenant")]
        constraints = [
            models.CheckConstraint(condition=Q(source_id__regex=r"\A[0-9]{1,20}\Z"), name="source_id_is_digits"),
            models.CheckConstraint(condition=Q(type__in=SOURCE_TYPES), name="source_type_known"),
            models.CheckConstraint(condition=~Q(name=""), name="source_has_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.source_id})"


class Destination(Owned):
    """Where events go. What it is called with is in two parts: what may be shown, and what never is."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    type = models.CharField(max_length=TYPE_MAX_LENGTH, choices=[(kind, kind.label) for kind in DESTINATION_TYPES])
    # By type; empty until it is configured.
    settings = models.JSONField(default=dict, blank=True)
    # A JSON object, such as {"access_token": …}.
    secrets: models.TextField[str | Secret | None, Secret | None] = EncryptedTextField(  # type: ignore[assignment, misc]
        null=True, editable=False
    )

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["tenant", "id"], name="destination_of_tenant")]
        constraints = [
            models.CheckConstraint(condition=Q(type__in=DESTINATION_TYPES), name="destination_type_known"),
            models.CheckConstraint(condition=~Q(name=""), name="destination_has_name"),
        ]


class PipelineSource(models.Model):
    """A source's place in a pipeline."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="source_links", db_index=False)
    source = models.ForeignKey(Source, models.CASCADE, related_name="pipeline_links")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "source"], name="one_place_per_source")]

    def __str__(self) -> str:
        return f"{self.source_id} in {self.pipeline_id}"


class PipelineDestination(Filtered):
    """A destination's place in a pipeline, and what does not pass on to it."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="destination_links", db_index=False)
    destination = models.ForeignKey(Destination, models.CASCADE, related_name="pipeline_links")
    # The destination's own, which never changes: here, so that the database can hold the rule.
    type = models.CharField(max_length=TYPE_MAX_LENGTH, choices=[(kind, kind.label) for kind in DESTINATION_TYPES])

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "type"], name="one_destination_of_each_type"),
        ]

    def __str__(self) -> str:
        return f"{self.destination_id} in {self.pipeline_id}"


class PixelPipeline(models.Model):
    """What differs from the default in a Meta Pixel's pipeline; a pixel of which nothing does has no row."""

    pixel = models.OneToOneField(Pixel, models.CASCADE, primary_key=True, related_name="pipeline", db_constraint=False)
    # Empty for the default names.
    name = models.CharField(max_length=NAME_MAX_LENGTH, blank=True, default="")
    destination_name = models.CharField(max_length=NAME_MAX_LENGTH, blank=True, default="")
    # Its blocked events are the pixel's event filters. While the filter is off by name, they are kept here instead.
    filter_status = models.BooleanField(null=True, blank=True)
    set_aside = models.JSONField("events blocked when the filter is on", default=list, blank=True)
    # The reference's createOB: is Meta told of the gateway's address?
    registers = models.BooleanField("registered with Meta", default=True)

    def __str__(self) -> str:
        return f"Pipeline of {self.pixel_id}"
