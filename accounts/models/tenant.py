"""The account (``Tenant`` in code and API), its data routing and its usage figures."""

from __future__ import annotations

import re
import secrets
import string
from typing import Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.borders import Borders
from common.time_zones import NAME_MAX_LENGTH as TIME_ZONE_MAX_LENGTH
from common.time_zones import zone_of

ID_ALPHABET = string.ascii_letters + string.digits
ID_LENGTH = 8
ID_PATTERN = re.compile(rf"[A-Za-z0-9]{{{ID_LENGTH}}}")
NAME_MAX_LENGTH = 100


def new_tenant_id() -> str:
    """Eight letters and digits, such as ``hU2koC34`` (the reference's form)."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


class TenantStatus(models.IntegerChoices):
    """The reference's ``Tenant.status``."""

    ACTIVE = 0, pgettext_lazy("account", "Active")
    PENDING = 1, _("Setup in progress")
    DEACTIVATED = 2, pgettext_lazy("account", "Deactivated")


class TenantQuerySet(models.QuerySet["Tenant"]):
    """The borders between accounts, as filters: a row that the principal may not see is not there."""

    def visible_to(self, borders: Borders) -> Self:
        """Accounts whose name, status and usage the principal may see: the host sees all of them."""
        return self if borders.sees_all_tenants else self.filter(pk__in=borders.known_tenant_ids)

    def open_to(self, borders: Borders) -> Self:
        """Accounts whose pixels, filters and people the principal may see."""
        return self.filter(open_to(borders))


def open_to(borders: Borders, account: str = "") -> Q:
    """The condition that an account is open to the principal; ``account`` is the way there, such as ``tenant__``.

    For the host these are the managed ones: an account with ``canPartnerManage`` false is its own.
    """
    if borders.is_system:
        return Q()
    own = Q(**{f"{account}pk__in": borders.tenant_ids})
    managed = Q(**{f"{account}can_partner_manage": True})
    if borders.hosted_tenant_id is not None:
        return own | managed & Q(**{f"{account}pk": borders.hosted_tenant_id})
    return own | managed if borders.sees_all_tenants else own


class Tenant(models.Model):
    """An account: an advertiser's own space, run by itself or by the host (``can_partner_manage``)."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_tenant_id, editable=False)
    name = models.CharField(max_length=NAME_MAX_LENGTH)
    status = models.PositiveSmallIntegerField(choices=TenantStatus.choices, default=TenantStatus.ACTIVE)
    can_partner_manage = models.BooleanField("managed by the host", default=True)
    event_enrichment = models.BooleanField("enhance events", default=False)
    # A name of the IANA database; empty until somebody, or the browser of somebody, has said it: UTC until then.
    time_zone = models.CharField(max_length=TIME_ZONE_MAX_LENGTH, default="", db_default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    #: What the switch does, in the words of every page that has it.
    ENHANCE_EVENTS = _(
        "Completes events with what they lack: hashed details that the same visitor has given before, the Facebook "
        "click id of the page's address, and the browser's address. So Meta can match more of them. What visitors have "
        "given is remembered for 90 days, and forgotten at once when this is switched off."
    )

    class Meta:
        verbose_name = "account"
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name", "id"], name="tenant_by_name")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TenantStatus.values), name="tenant_status_known"),
            models.CheckConstraint(condition=~Q(name=""), name="tenant_has_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the account's days and hours are meant."""
        return zone_of(self.time_zone)


class IngressDomainQuerySet(models.QuerySet["IngressDomain"]):
    """Which accounts' own domains lead here."""

    def verified(self) -> Self:
        """Domains whose CNAME leads to the gateway, as far as is known."""
        return self.filter(status=IngressDomain.Status.VERIFIED)

    def served(self) -> Self:
        """Those, and for a while those whose CNAME has left."""
        return self.filter(Q(status=IngressDomain.Status.VERIFIED) | Q(served_until__gt=timezone.now()))


class IngressDomain(models.Model):
    """Data routing: the account's own domain, ``ingress``, whose CNAME leads to the gateway's, ``target_domain``."""

    class Status(models.TextChoices):
        """Did the CNAME lead to the gateway when it was last checked?"""

        PENDING = "PENDING", _("Pending")
        VERIFIED = "VERIFIED", _("Optimized")

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="ingress_domain")
    ingress = models.CharField("account's own domain", max_length=253)
    target_domain = models.CharField("gateway's host name", max_length=253)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    checked_at = models.DateTimeField(null=True, blank=True)
    #: How many daily checks in a row have found that the CNAME does not lead here.
    refusals = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    #: Until when events are taken at a domain that is verified no more.
    served_until = models.DateTimeField(null=True, editable=False)

    objects = IngressDomainQuerySet.as_manager()

    class Meta:
        verbose_name = "data routing"
        verbose_name_plural = "data routing"
        constraints = [
            models.UniqueConstraint(
                fields=["ingress"], condition=Q(status="VERIFIED"), name="domain_verified_in_one_account"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant"],
                condition=Q(refusals__gt=0) | Q(served_until__isnull=False),
                name="domain_that_left",
            )
        ]

    def __str__(self) -> str:
        return f"{self.ingress} → {self.target_domain}"

    @property
    def is_left(self) -> bool:
        """Is it verified no more, and are its events still taken?"""
        return self.served_until is not None and self.served_until > timezone.now()


class UsageSnapshot(models.Model):
    """An account's traffic over the last ``duration_in_hours``, as of ``refreshed_at``."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="usage")
    total_events_received = models.BigIntegerField(default=0)
    total_events_published = models.BigIntegerField(default=0, db_default=0)
    total_events_failed = models.BigIntegerField(default=0, db_default=0)
    total_pixels_with_traffic = models.PositiveIntegerField(default=0)
    publish_error = models.BooleanField(default=False)
    duration_in_hours = models.PositiveSmallIntegerField(default=24)
    refreshed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "usage"
        verbose_name_plural = "usage"
        indexes = [
            # Those that must fall to nought once their traffic is older than the duration; most accounts' are there.
            models.Index(
                fields=["tenant"],
                condition=Q(total_events_received__gt=0) | Q(publish_error=True),
                name="usage_not_nought",
            )
        ]

    def __str__(self) -> str:
        return f"{self.total_events_received} events in {self.duration_in_hours} hours"
