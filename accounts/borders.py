"""How far a caller sees: a value that querysets filter by, and that cached statements are keyed on.

It imports nothing of the apps, so that models can take it without knowing who calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Borders:
    """Whatever ``visible_to`` and ``open_to`` ask of a caller. Callers with equal borders see the same rows."""

    #: The command line, for which no border holds.
    is_system: bool = False
    #: The host's people and API accounts see the name, status and usage of every account.
    sees_all_tenants: bool = False
    #: The accounts in which the caller has a role of its own.
    tenant_ids: frozenset[str] = frozenset()
    #: The one account that an API account of the host is for: it sees of it what the host sees, and nothing else.
    hosted_tenant_id: str | None = None
    #: The person, who sees their own roles; None for software.
    user_id: UUID | None = None

    @property
    def known_tenant_ids(self) -> frozenset[str]:
        """Of whom ``sees_all_tenants`` is not: the accounts whose name, status and usage the caller sees."""
        return self.tenant_ids if self.hosted_tenant_id is None else self.tenant_ids | {self.hosted_tenant_id}
