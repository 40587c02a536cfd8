"""The one table of who may do what (contract: "What a role may do"). Rows are restricted by querysets, acts by this."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateField

from accounts.borders import Borders
from accounts.models import RoleLevel, Tenant, TenantStatus
from accounts.models.tenant import ID_PATTERN
from accounts.principals import Principal
from common.errors import NotAuthorized
from common.statements import Param, Statement


class TenantState(Protocol):
    """What decides of an account who may do what there: ``Tenant``, and read models of it."""

    @property
    def pk(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def can_partner_manage(self) -> bool: ...


class Action(Enum):
    """Everything that a role can allow."""

    VIEW_TENANT = auto()  # name, status, usage
    VIEW_DATA = auto()  # pixels, filters, event figures, people, data routing
    EDIT_DATA = auto()  # pixels, filters
    EDIT_SETTINGS = auto()  # name, enrichment, data routing
    EDIT_PEOPLE = auto()
    EDIT_STATUS = auto()  # activate and deactivate
    EDIT_PARTNER_ACCESS = auto()  # canPartnerManage
    INVITE_ADMIN = auto()  # send the first admin's invitation again
    DELETE_TENANT = auto()
    # At the host, of no account:
    CREATE_TENANT = auto()
    VIEW_HOST = auto()
    EDIT_HOST = auto()  # name
    EDIT_HOST_PEOPLE = auto()
    EDIT_API_ACCOUNTS = auto()


_VIEW = frozenset({Action.VIEW_TENANT, Action.VIEW_DATA})
_MANAGE = _VIEW | {Action.EDIT_DATA, Action.EDIT_SETTINGS, Action.DELETE_TENANT}
_ADMIN = _MANAGE | {Action.EDIT_PEOPLE, Action.EDIT_PARTNER_ACCESS, Action.INVITE_ADMIN}

#: In one's own account.
MEMBER: dict[RoleLevel, frozenset[Action]] = {
    RoleLevel.ADMIN: _ADMIN,
    RoleLevel.MANAGE: _MANAGE,
    RoleLevel.VIEW: _VIEW,
}
#: The host's people in an account that the host manages.
HOST_IN_MANAGED: dict[RoleLevel, frozenset[Action]] = {
    RoleLevel.ADMIN: _ADMIN | {Action.EDIT_STATUS},
    RoleLevel.MANAGE: _MANAGE | {Action.EDIT_STATUS},
    RoleLevel.VIEW: _VIEW,
}
#: The host's people in an account that is its own (canPartnerManage false).
HOST_IN_UNMANAGED: dict[RoleLevel, frozenset[Action]] = {
    RoleLevel.ADMIN: frozenset({Action.VIEW_TENANT, Action.INVITE_ADMIN, Action.DELETE_TENANT}),
    RoleLevel.MANAGE: frozenset({Action.VIEW_TENANT, Action.DELETE_TENANT}),
    RoleLevel.VIEW: frozenset({Action.VIEW_TENANT}),
}
#: At the host itself.
HOST: dict[RoleLevel, frozenset[Action]] = {
    RoleLevel.ADMIN: frozenset(
        {
            Action.VIEW_HOST,
            Action.EDIT_HOST,
            Action.CREATE_TENANT,
            Action.EDIT_HOST_PEOPLE,
            Action.EDIT_API_ACCOUNTS,
        }
    ),
    RoleLevel.MANAGE: frozenset({Action.VIEW_HOST, Action.CREATE_TENANT}),
    RoleLevel.VIEW: frozenset({Action.VIEW_HOST}),
}


#: What an API account that ends may not do: it could take its end away, or leave somebody who may do as much for good.
_MAKES_HEIRS = frozenset({Action.EDIT_API_ACCOUNTS, Action.EDIT_HOST_PEOPLE})


def allowed_actions(principal: Principal, tenant: TenantState | None = None) -> frozenset[Action]:
    """What the principal may do in ``tenant``, or at the host where none is given."""
    if principal.is_system:
        return frozenset(Action)
    host_level = principal.host_level_in(tenant.pk if tenant else None)
    if tenant is None:
        allowed_at_host = HOST[host_level] if host_level else frozenset()
        return allowed_at_host - _MAKES_HEIRS if principal.ends else allowed_at_host
    allowed: frozenset[Action] = frozenset()
    if host_level:
        allowed |= (HOST_IN_MANAGED if tenant.can_partner_manage else HOST_IN_UNMANAGED)[host_level]
    member_level = principal.tenant_levels.get(tenant.pk)
    if member_level:
        own = MEMBER[member_level]
        # The people of a deactivated account can look, not change.
        allowed |= own & _VIEW if tenant.status == TenantStatus.DEACTIVATED else own
    return allowed


def is_allowed(principal: Principal, action: Action, tenant: TenantState | None = None) -> bool:
    """May the principal do this in the account, or at the host?"""
    return action in allowed_actions(principal, tenant)


def require(principal: Principal, action: Action, tenant: TenantState | None = None) -> None:
    """Raise NotAuthorized unless the principal may do this."""
    if not is_allowed(principal, action, tenant):
        raise NotAuthorized()


def get_tenant(principal: Principal, tenant_id: str, action: Action, *, lock: bool = False) -> Tenant:
    """The account, if the principal may do ``action`` there; else NotAuthorized, alike for hidden and missing ones.

    ``lock`` holds the row until the transaction ends, so that checks across rows (the last admin) stay true.
    """
    tenant = find_tenant(principal, tenant_id, lock=lock)
    if tenant is None:
        raise NotAuthorized()
    require(principal, action, tenant)
    return tenant


def find_tenant(principal: Principal, tenant_id: str, *, lock: bool = False) -> Tenant | None:
    """The account, if the principal may know of it; None alike for hidden and missing ones."""
    row = _look_up(principal.borders, lock=lock).one(principal.guard, id=tenant_id) if is_tenant_id(tenant_id) else None
    return None if row is None else Tenant.from_db(DEFAULT_DB_ALIAS, _COLUMNS, row)


def is_tenant_id(text: str) -> bool:
    """Could this be an account's id? The database need not be asked for another text, and takes not every one."""
    return ID_PATTERN.fullmatch(text) is not None


#: Of JSON's types: the others are loaded when somebody asks for them.
_COLUMNS = [field.attname for field in Tenant._meta.concrete_fields if not isinstance(field, DateField)]


@lru_cache(maxsize=64)
def _look_up(borders: Borders, *, lock: bool) -> Statement[list[Any]]:
    """Finds an account by ``id`` within the borders."""
    tenants = Tenant.objects.visible_to(borders).filter(pk=Param("id")).order_by()
    return Statement(tenants.select_for_update(no_key=True) if lock else tenants, *_COLUMNS)
