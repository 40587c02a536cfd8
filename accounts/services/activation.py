"""Keeping a person out, and letting them in again: for whoever looks after all of the person's accounts."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, apply_changes, record
from accounts.models import Membership, Tenant, User
from accounts.permissions import Action, is_allowed, require
from accounts.principals import Principal
from accounts.services.people import lock_host, looks_after, visible_user
from common.errors import InvalidInput, NotAuthorized

_STATUS = {"status": _("Status")}
DEACTIVATE_PERSON = Act("deactivate person", _("deactivated %(subject)s"), _STATUS)
ACTIVATE_PERSON = Act("activate person", _("activated %(subject)s again"), _STATUS)


@transaction.atomic
def deactivate_user(*, principal: Principal, user_id: str) -> User:
    """End the person's sessions and refuse new ones; roles stay. The last admin of an account cannot be kept out."""
    user = locked_person(principal, user_id)
    if any(membership.is_last_admin for membership in Membership.objects.with_last_admin().filter(user=user)):
        raise InvalidInput("status", "the last admin of an account cannot be deactivated.")
    return _set_status(principal, DEACTIVATE_PERSON, user, User.Status.DEACTIVATED)


@transaction.atomic
def activate_user(*, principal: Principal, user_id: str) -> User:
    """Let a deactivated person in again; one who never chose a password is invited still."""
    user = locked_person(principal, user_id)
    if user.status != User.Status.DEACTIVATED:
        return user
    status = User.Status.ACTIVATED if user.password else User.Status.PENDING
    return _set_status(principal, ACTIVATE_PERSON, user, status)


def may_help(principal: Principal, user: User) -> bool:
    """May the principal act for the person at all of their places, as a host's admin does?"""
    return is_allowed(principal, Action.EDIT_HOST_PEOPLE) and looks_after(principal, user)


def locked_person(principal: Principal, user_id: str) -> User:
    """Somebody whom the principal may help, locked; and so are the places of their roles, in the order of all services.

    It is judged again once nothing can change any more: while we waited for the locks, the person may have accepted a
    role in an account that is closed to the host, or one of the accounts may have become its own.
    """
    require(principal, Action.EDIT_HOST_PEOPLE)
    user = visible_user(principal, user_id)
    if not may_help(principal, user):
        raise NotAuthorized
    lock_host()
    roles = Membership.objects.filter(user=user)
    list(Tenant.objects.select_for_update(no_key=True).filter(pk__in=roles.values("tenant_id")).order_by("pk"))
    locked = User.objects.select_for_update().filter(pk=user.pk).first()
    if locked is None or not may_help(principal, locked):
        raise NotAuthorized
    return locked


def _set_status(principal: Principal, act: Act, user: User, status: User.Status) -> User:
    changes = apply_changes(user, {"status": status})
    if changes:
        record(principal, act, user, changes=changes)
    return user
