"""Passwords of people who are active already: changed by themselves, or by a link that an admin has sent to them."""

from __future__ import annotations

import uuid

from allauth.account.forms import default_token_generator
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.audit import record
from accounts.models import Membership, Tenant, User
from accounts.permissions import Action, get_tenant, is_allowed, require
from accounts.principals import Principal
from portal.errors import InvalidInput, NotFound
from portal.mail import compose, deliver


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Store a password that allauth has checked; the log of each of the person's accounts tells of it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    for membership in Membership.objects.filter(user=user, accepted_at__isnull=False).select_related("tenant"):
        record(Principal(user=user), "change password", user, tenant=membership.tenant)


@transaction.atomic
def send_password_reset(*, principal: Principal, user_id: str, tenant_id: str | None = None) -> str | None:
    """Mail a person of the account (or of the host) the link to a new password.

    The link is returned to those only who look after everything that the person has a role in: in other hands it would
    open accounts that are closed to them.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_PEOPLE) if tenant_id else None
    if tenant is None:
        require(principal, Action.EDIT_HOST_PEOPLE)
    user = _active_member(user_id, tenant)
    link = password_reset_link(user)
    record(principal, "send password reset", user, tenant=tenant)
    deliver(compose("account/email/password_reset_key", user.email, {"password_reset_url": link, "link": link}))
    return link if _looks_after(principal, user) else None


def password_reset_link(user: User) -> str:
    """The page on which the person chooses a new password: valid for three days, and used once."""
    token = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user.pk.hex, "key": token})
    return f"{settings.BASE_URL}{path}"


def _active_member(user_id: str, tenant: Tenant | None) -> User:
    try:
        key = uuid.UUID(user_id)
    except ValueError:
        raise InvalidInput("userId", "must be a UUID.") from None
    membership = Membership.objects.filter(user_id=key, tenant=tenant).select_related("user").first()
    if membership is None:
        raise NotFound("userId: nobody with this id has a role here.", field="userId")
    if not membership.user.is_active:
        raise InvalidInput("userId", "has no password yet, or may not sign in any more.")
    return membership.user


def _looks_after(principal: Principal, user: User) -> bool:
    for membership in Membership.objects.filter(user=user).select_related("tenant"):
        action = Action.EDIT_PEOPLE if membership.tenant else Action.EDIT_HOST_PEOPLE
        if not is_allowed(principal, action, membership.tenant):
            return False
    return True
