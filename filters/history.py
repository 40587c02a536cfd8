"""Who changed which filter, and when: from the audit log."""

from __future__ import annotations

from typing import NamedTuple

from accounts.activity import Change, actor_of, changes_of, phrase_of, pixel_names
from accounts.audit import Act
from accounts.models import AuditEntry, Tenant
from accounts.principals import Principal

#: So many entries are shown, and so many pixels of each.
ENTRIES = 10
CHANGES = 5


class ShownEntry(NamedTuple):
    """An entry of the audit log in words."""

    entry: AuditEntry
    actor: str
    phrase: str
    changes: list[Change]
    further: int


def history_of(principal: Principal, tenant: Tenant, act: Act, name: str | None = None) -> list[ShownEntry]:
    """The newest changes, of one name or of all."""
    entries = AuditEntry.objects.visible_to(principal.borders).filter(tenant_id=tenant.pk, act=act.name)
    if name is not None:
        entries = entries.filter(subject=name)
    newest = list(entries[:ENTRIES])
    pixels = pixel_names(newest)
    shown = []
    for entry in newest:
        changes = changes_of(entry, pixels)
        further = max(0, len(changes) - CHANGES)
        shown.append(ShownEntry(entry, actor_of(entry), phrase_of(entry), changes[:CHANGES], further))
    return shown
