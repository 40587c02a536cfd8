"""The account that all of a query's fields are about."""

from __future__ import annotations

from functools import cached_property

from graphene import ResolveInfo

from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from accounts.schema.context import principal_of
from common.graphql.selection import is_compiled, selected


class TenantScope:
    """An account by its id, for those who may look into it.

    A field that reads the account together with what it is asked for need not look it up before. Each field asks for
    ``tenant``, or checks for itself that the principal may look into the account.
    """

    def __init__(self, principal: Principal, tenant_id: str) -> None:
        self.principal = principal
        self.tenant_id = tenant_id

    @cached_property
    def tenant(self) -> Tenant:
        """The account; NotAuthorized, alike for hidden and missing ones."""
        return get_tenant(self.principal, self.tenant_id, Action.VIEW_DATA)


def scope_of(info: ResolveInfo, tenant_id: str) -> TenantScope:
    """What the fields below the current one are about; NotAuthorized here, where an account is refused.

    In a compiled query it may be refused by one of these fields instead, if there is any: graphql-core, which answers
    whatever is refused, comes by here again.
    """
    scope = TenantScope(principal_of(info), tenant_id)
    if not (is_compiled(info) and selected(info).keys() - {"__typename"}):
        scope.tenant  # noqa: B018  # looked up
    return scope
