"""Forgetting people who have no role left, and what belongs to nobody any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.audit import FORGET_PERSON, KEPT_FOR_GOOD, record
from accounts.models import AccessToken, ApiAccount, AuditEntry, Invitation, Tenant, User
from accounts.permissions import Action, require
from accounts.principals import SCHEDULE, Principal
from common.errors import Conflict, InvalidInput, NotFound
from common.pruning import delete_in_parts

#: Days for which the page of a link that has expired can say so.
_EXPIRED_INVITATIONS_KEPT = 30


def former_people() -> QuerySet[User]:
    """Those who have no role left."""
    return User.objects.filter(memberships=None)


@transaction.atomic
def forget_person(*, principal: Principal, user_id: str) -> None:
    """Delete somebody who has no role left, with their sessions and second factors.

    The audit log keeps what they did, under their address, for AUDIT_RETENTION.
    """
    require(principal, Action.EDIT_HOST_PEOPLE)
    try:
        key = UUID(user_id)
    except ValueError:
        raise InvalidInput("userId", "must be a UUID.") from None
    if not _forget(principal, [key]):
        if User.objects.filter(pk=key).exists():
            raise Conflict("userId: this person has a role. Take it away first.", field="userId")
        raise NotFound("userId: there is no such person.", field="userId")


def prune(now: datetime | None = None) -> None:
    """Forget people whose time is over; delete sessions, tokens and invitations that have ended, and old entries."""
    now = now or timezone.now()
    _forget_former_people(now)
    delete_in_parts(Session.objects.filter(expire_date__lt=now))
    delete_in_parts(UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")))
    delete_in_parts(AccessToken.objects.filter(expires_at__lt=now))
    delete_in_parts(Invitation.objects.filter(expires_at__lt=now - timedelta(days=_EXPIRED_INVITATIONS_KEPT)))
    # Processes of the previous release delete accounts, and do not know that a key is for one.
    is_there = Exists(Tenant.objects.filter(pk=OuterRef("tenant")))
    ApiAccount.objects.filter(~is_there, tenant__isnull=False).delete()
    _forget_networks(now)
    if settings.AUDIT_RETENTION:
        old = AuditEntry.objects.filter(at__lt=now - timedelta(days=settings.AUDIT_RETENTION))
        delete_in_parts(old.exclude(act__in=[act.name for act in KEPT_FOR_GOOD]))


def _forget_networks(now: datetime) -> None:
    """From where an API account was used is forgotten when it is not used any more."""
    since = now - timedelta(days=settings.FORMER_PEOPLE_RETENTION)
    ApiAccount.objects.filter(last_used_at__lt=since).exclude(last_used_from="").update(last_used_from="")


def _forget_former_people(now: datetime) -> None:
    """A role is lost in many ways, with its account too: here it is noted since when a person has none."""
    User.objects.filter(memberships__isnull=False).exclude(roleless_since=None).update(roleless_since=None)
    former_people().filter(roleless_since=None).update(roleless_since=now)
    since = now - timedelta(days=settings.FORMER_PEOPLE_RETENTION)
    _forget(SCHEDULE, list(former_people().filter(roleless_since__lt=since).values_list("pk", flat=True)))


@transaction.atomic
def _forget(principal: Principal, people: Iterable[UUID]) -> int:
    # Locked first, then looked at again: somebody may be giving one of them a new role at this moment.
    locked = list(User.objects.filter(pk__in=people).select_for_update().order_by("pk").values_list("pk", flat=True))
    going = list(former_people().filter(pk__in=locked).values_list("pk", flat=True))
    for person in going:
        record(principal, FORGET_PERSON, person)  # by the number alone
    sessions = UserSession.objects.filter(user__in=going).values("session_key")
    Session.objects.filter(session_key__in=sessions).delete()
    User.objects.filter(pk__in=going).delete()
    return len(going)
