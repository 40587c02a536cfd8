"""What is wrong, and what an account wants to be told of (docs/decisions/0038-alerts.md)."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.borders import Borders
from accounts.models import Tenant
from pipelines.models import Destination
from pixels.models import Pixel

SUBJECT_MAX_LENGTH = 100
#: The subject of what is wrong with the instance itself.
INSTANCE = "instance"


class RuleName(models.TextChoices):
    """What can be wrong. ``alerts/rules/table.py`` says how it is found."""

    DISK = "disk", _("Disk nearly full")
    QUEUE = "queue", _("Events of all accounts wait")
    SCHEDULER = "scheduler", _("The scheduler stood still")
    TOKEN = "token", _("Access token rejected")
    DESTINATION = "destination", _("Destination held")
    SILENCE = "silence", _("No events come")
    WAITING = "waiting", _("Events wait too long")
    SUCCESS = "success", _("Many events fail")
    REFUSED = "refused", _("Many events refused at intake")
    REGISTRATION = "registration", _("Registration refused")
    DOMAIN = "domain", _("Own domain leads elsewhere")
    API_ACCOUNT = "api_account", _("API account expires")
    RECEIVER = "receiver", _("Alerts reach a channel no more")


class OfAccountQuerySet(models.QuerySet[Any]):
    """Rows of accounts and of the host, within the principal's borders."""

    #: The way from a row to its account.
    account = "tenant"

    def visible_to(self, borders: Borders) -> Self:
        """Those of the accounts that are open to the principal; those of the instance are the host's."""
        if borders.is_system:
            return self
        visible = Q(**{f"{self.account}__in": Tenant.objects.open_to(borders)})
        if borders.sees_all_tenants:
            visible |= Q(**{f"{self.account}__isnull": True})
        return self.filter(visible)


def of_new_table(model: type[models.Model], *, related_name: str = "+", **options: Any) -> models.ForeignKey[Any, Any]:
    """Without a constraint: processes of the previous release delete such rows, and do not know the table
    (docs/decisions/0024-the-store.md). What they leave behind, ``alerts/pruning.py`` deletes."""
    return models.ForeignKey(model, models.CASCADE, related_name=related_name, db_constraint=False, **options)


class RuleSetting(models.Model):
    """What an account wants of a rule, for all of its pixels or for one, or the host of one of its own rules; without a
    row the default holds."""

    # None where it is the host's.
    tenant = of_new_table(Tenant, null=True, blank=True, db_index=False, verbose_name="account")
    pixel = of_new_table(Pixel, null=True, blank=True)
    rule = models.CharField(max_length=20, choices=RuleName.choices)
    muted = models.BooleanField(default=False)
    # In the rule's unit; null for the default, or for that of all pixels.
    threshold = models.PositiveIntegerField(null=True, blank=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "setting of a rule"
        verbose_name_plural = "settings of rules"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule"], condition=Q(pixel=None), name="one_rule_setting_per_account"
            ),
            models.UniqueConstraint(
                fields=["tenant", "pixel", "rule"], condition=~Q(pixel=None), name="one_rule_setting_per_pixel"
            ),
            models.UniqueConstraint(fields=["rule"], condition=Q(tenant=None), name="one_rule_setting_of_the_host"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} of {self.pixel_id or self.tenant_id or 'the host'}"


class Incident(models.Model):
    """A rule that is broken at an object, from when it was found until it was true no more."""

    # None where it is the instance's.
    tenant = of_new_table(Tenant, null=True, db_index=False, verbose_name="account")
    pixel = of_new_table(Pixel, null=True)
    destination = of_new_table(Destination, null=True)
    rule = models.CharField(max_length=20, choices=RuleName.choices)
    # What it is about, alike on every instance: "pixel 123", "destination <uuid>", "domain <account>", "instance".
    subject = models.CharField(max_length=SUBJECT_MAX_LENGTH)
    # Figures and names for its sentence, of the last look.
    facts = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject"], condition=Q(closed_at=None), name="one_open_incident"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-opened_at"], name="incidents_of_tenant"),
            models.Index(fields=["tenant", "rule"], condition=Q(closed_at=None), name="incidents_open"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="incidents_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} at {self.subject}"


class Pulse(models.Model):
    """When rules were last looked at: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_pulse")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
