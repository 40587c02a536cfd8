"""Role names, as the API writes them: ``agency-<action>`` and ``advertiser-<action>-<tenantId>``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from accounts.models import RoleLevel
from accounts.models.tenant import ID_PATTERN
from common.errors import NotFound

#: The reference names the middle action manage, user and standard in turn; all three are understood.
_LEVELS = {
    "admin": RoleLevel.ADMIN,
    "manage": RoleLevel.MANAGE,
    "user": RoleLevel.MANAGE,
    "standard": RoleLevel.MANAGE,
    "view": RoleLevel.VIEW,
}
_NAME = re.compile(
    rf"agency-(?P<host>{'|'.join(_LEVELS)})|advertiser-(?P<own>{'|'.join(_LEVELS)})-(?P<tenant_id>{ID_PATTERN.pattern})"
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a person may do, and where: in an account, or at the host where ``tenant_id`` is None."""

    level: RoleLevel
    tenant_id: str | None = None

    @property
    def name(self) -> str:
        """The name that the API returns."""
        return role_name(self.level, self.tenant_id)


def role_name(level: str, tenant_id: str | None) -> str:
    """The name of a role in an account, or at the host where there is none."""
    return f"advertiser-{level}-{tenant_id}" if tenant_id else f"agency-{level}"


def parse_role(field: str, name: str) -> Role:
    """Read a role's name from the input ``field``; NotFound where there is no such role (the reference's 404)."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise NotFound(
            "{name}: there is no such role; roles are agency-<action> and advertiser-<action>-<tenantId>, "
            "with the actions admin, manage and view.",
            field=field,
            name=field,
        )
    return Role(_LEVELS[match["host"] or match["own"]], match["tenant_id"])
