"""The audit log: who changed what, and when (docs/decisions/0002-audit-log.md)."""

from __future__ import annotations

from typing import Self

from django.db import models

from accounts.borders import Borders
from accounts.models.tenant import Tenant


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads of the log, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Entries of the accounts open to the principal, and for the host those about the host itself."""
        if borders.is_system:
            return self
        visible = models.Q(tenant_id__in=Tenant.objects.open_to(borders).values("pk"))
        if borders.sees_all_tenants:
            visible |= models.Q(tenant_id=None)
        return self.filter(visible)


class AuditEntry(models.Model):
    """One act of a principal. Names are kept as text, so that the entry outlives what it speaks of."""

    at = models.DateTimeField(auto_now_add=True)
    # No foreign key: the record of a deleted account stays.
    tenant_id = models.CharField("account", max_length=8, null=True)
    actor = models.CharField(max_length=254)
    act = models.CharField(max_length=50)
    subject = models.CharField(max_length=300)
    # {field: [before, after]}; a secret is written as "•••".
    changes = models.JSONField(default=dict)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["tenant_id", "-at"], name="audit_of_tenant")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.act} {self.subject}"
