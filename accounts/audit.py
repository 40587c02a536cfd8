"""Writing the audit log: one entry an act, in the transaction of the act, secrets never in it."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEntry, Membership, Tenant, User
from accounts.principals import Principal

#: Stands for a secret's value.
MASK = "•••"

#: Acts that no retention ends: restoring a backup decides by them (docs/decisions/0013-backup.md).
BACKUP_MADE, BACKUP_RESTORED, PERSON_FORGOTTEN = "make backup", "restore backup", "forget person"
KEPT_FOR_GOOD = (BACKUP_MADE, BACKUP_RESTORED, PERSON_FORGOTTEN)

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


def record_of_person(principal: Principal, act: str, person: User) -> None:
    """Add an entry about a person to the log of every account that they have a role in; else to the host's."""
    roles = list(Membership.objects.accepted().filter(user=person).select_related("tenant"))
    for tenant in [role.tenant for role in roles] or [None]:
        record(principal, act, person, tenant=tenant)


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
