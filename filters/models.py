"""What an account lets through: filters by event name and by website."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.borders import Borders
from accounts.models import Tenant
from pixels.models import Pixel

EVENT_NAME_MAX_LENGTH = 50
DOMAIN_MAX_LENGTH = 253


class FilterState(models.TextChoices):
    """What a stored filter says; the API's third state, MIXED, is only ever derived."""

    PUBLISH = "PUBLISH", "Publish"
    DROP = "DROP", "Drop"


class FilterQuerySet(models.QuerySet[Any]):
    """Filters within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Filters of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(tenant__in=Tenant.objects.open_to(borders))


class Filter(models.Model):
    """A state for a name: of all the account's pixels where ``pixel`` is null, else an exception for that one."""

    # No index of its own: the constraints below start with the tenant.
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    pixel = models.ForeignKey(Pixel, models.CASCADE, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=FilterState.choices)
    updated_at = models.DateTimeField(auto_now=True)

    objects = FilterQuerySet.as_manager()

    #: The column that holds the name, and that its subclasses add.
    name_field: ClassVar[str]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.state} {getattr(self, self.name_field)} on {self.pixel or 'all pixels'}"


class EventFilter(Filter):
    """Publishes or drops the events of one name; names match exactly."""

    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH)

    name_field = "event_name"

    class Meta:
        ordering = ["event_name", "pixel_id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "event_name", "pixel"], name="one_event_filter_per_pixel"),
            models.UniqueConstraint(
                fields=["tenant", "event_name"], condition=Q(pixel=None), name="one_event_filter_per_account"
            ),
            models.CheckConstraint(condition=Q(state__in=FilterState.values), name="event_filter_state_known"),
            models.CheckConstraint(condition=~Q(event_name=""), name="event_filter_has_name"),
        ]


class DomainFilter(Filter):
    """Publishes or drops the events of a website and its subdomains; the longest matching domain decides."""

    domain = models.CharField(max_length=DOMAIN_MAX_LENGTH)

    name_field = "domain"

    class Meta:
        ordering = ["domain", "pixel_id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain", "pixel"], name="one_domain_filter_per_pixel"),
            models.UniqueConstraint(
                fields=["tenant", "domain"], condition=Q(pixel=None), name="one_domain_filter_per_account"
            ),
            models.CheckConstraint(condition=Q(state__in=FilterState.values), name="domain_filter_state_known"),
            models.CheckConstraint(condition=~Q(domain=""), name="domain_filter_has_name"),
        ]
