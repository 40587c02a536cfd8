"""Writing the audit log: one entry an act, in the transaction of the act, secrets never in it."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEntry, Tenant
from accounts.principals import Principal

#: Stands for a secret's value.
MASK = "•••"

Changes = dict[str, list[Any]]


def record(
    principal: Principal,
    act: str,
    subject: object,
    *,
    tenant: Tenant | None = None,
    changes: Changes | None = None,
) -> None:
    """Add an entry: ``act`` is a verb such as ``connect pixel``, ``changes`` maps a field to ``[before, after]``."""
    AuditEntry.objects.create(
        tenant_id=tenant.pk if tenant else None,
        actor=principal.label,
        act=act,
        subject=str(subject)[:300],
        changes=changes or {},
    )


def apply_changes(instance: Any, new: dict[str, Any]) -> Changes:
    """Set the fields of ``new`` whose value differs and save just those; return what changed, for ``record``."""
    changes: Changes = {}
    for field, value in new.items():
        before = getattr(instance, field)
        if before != value:
            changes[field] = [before, value]
            setattr(instance, field, value)
    if changes:
        instance.save(update_fields=list(changes))
    return changes
