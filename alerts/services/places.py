"""Whose alerts are set: an account's, or the host's."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Tenant
from accounts.permissions import Action, get_tenant, require
from accounts.principals import Principal
from accounts.services.people import lock_host


@transaction.atomic
def get_place(principal: Principal, tenant_id: str | None) -> Tenant | None:
    """The account, or None for the host, locked, if the principal may say there who is told of what."""
    if tenant_id is None:
        require(principal, Action.EDIT_HOST)
        lock_host()
        return None
    return get_tenant(principal, tenant_id, Action.EDIT_SETTINGS, lock=True)
