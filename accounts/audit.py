"""Writing the audit log: one entry an act, in the transaction of the act, secrets never in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Choices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, Membership, Tenant, User
from accounts.principals import Principal
from common import secrets

#: Stands for a secret's value.
MASK = secrets.MASK

Changes = dict[str, list[Any]]
#: What pages call the value of a field; None where they show it as it is.
ValueWords = Callable[[str, Any], object]


def _as_it_is(field: str, value: Any) -> None:
    return None


def labels_of(name: str, choices: type[Choices]) -> ValueWords:
    """The values of the field ``name`` are those of ``choices``."""
    return lambda field, value: choices(value).label if field == name else None


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """What a service records, and how pages tell it. It is declared beside the service."""

    #: What the log stores.
    name: str
    #: What follows the actor's name.
    phrase: Promise
    #: What pages call the fields that the act changes.
    fields: Mapping[str, Promise] = field(default_factory=dict)
    values: ValueWords = _as_it_is

    def __post_init__(self) -> None:
        if self.name in ACTS:
            raise ValueError(f"There are two acts of the name {self.name}.")
        ACTS[self.name] = self


#: Every act whose service has been imported, by name: in a process that serves pages, all of them.
ACTS: dict[str, Act] = {}

# Acts that several modules know, or whose command no page imports.
MAKE_BACKUP = Act("make backup", _("made the %(subject)s"))
RESTORE_BACKUP = Act("restore backup", _("restored the %(subject)s"))
FORGET_PERSON = Act("forget person", _("forgot a person without a role"))
ROTATE_KEYS = Act("rotate keys", _("encrypted %(subject)s anew"))

#: No retention ends these: restoring a backup decides by them (docs/decisions/0013-backup.md).
KEPT_FOR_GOOD = (MAKE_BACKUP, RESTORE_BACKUP, FORGET_PERSON)


def record(
    principal: Principal,
    act: Act,
    subject: object,
    *,
    tenant: Tenant | None = None,
    changes: Changes | None = None,
) -> None:
    """Add an entry; ``changes`` maps a field to ``[before, after]``."""
    _entry(principal, act, subject, tenant.pk if tenant else None, changes).save(force_insert=True)


def record_each(principal: Principal, act: Act, changes: Mapping[str, Changes], *, tenant: Tenant) -> None:
    """Add an entry for each subject, with what the act changed about it."""
    AuditEntry.objects.bulk_create(
        _entry(principal, act, subject, tenant.pk, of_subject) for subject, of_subject in changes.items()
    )


def _entry(
    principal: Principal, act: Act, subject: object, tenant_id: str | None, changes: Changes | None
) -> AuditEntry:
    return AuditEntry(
        tenant_id=tenant_id,
        actor=principal.label,
        act=act.name,
        subject=str(subject)[:300],
        changes=changes or {},
    )


def record_of_person(principal: Principal, act: Act, person: User, *, changes: Changes | None = None) -> None:
    """Add an entry about a person to the log of every account that they have a role in; else to the host's."""
    roles = Membership.objects.accepted().filter(user=person)
    places: list[str | None] = list(roles.values_list("tenant_id", flat=True))
    AuditEntry.objects.bulk_create(_entry(principal, act, person, place, changes) for place in places or [None])


def apply_changes(instance: Any, new: dict[str, Any]) -> Changes:
    """Set the fields of ``new`` whose value differs and save just those; return what changed, for ``record``."""
    changes: Changes = {}
    for name, value in new.items():
        before = getattr(instance, name)
        if before != value:
            changes[name] = [before, value]
            setattr(instance, name, value)
    if changes:
        instance.save(update_fields=list(changes))
    return changes
