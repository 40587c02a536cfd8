"""What the host's admins, and the operator, do for people who cannot help themselves."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts.activity import name_of_actor
from accounts.audit import Act, record_of_person
from accounts.languages import language_for
from accounts.mail import Kind, send_later
from accounts.models import User
from accounts.principals import Principal
from accounts.services.activation import locked_person, may_help
from common.errors import Conflict

VOUCH_FOR_ADDRESS = Act("vouch for address", _("confirmed for %(subject)s that the address is theirs"))
REMOVE_SECOND_FACTORS = Act("remove second factors", _("took the second factors and passkeys of %(subject)s off"))


def may_rescue(principal: Principal, user: User) -> bool:
    """May the principal do any of this for the person?"""
    return user != principal.user and may_help(principal, user)


@transaction.atomic
def vouch_for_address(*, principal: Principal, user_id: str) -> User:
    """Say that the person who signs in is the one whose address it is."""
    user = _somebody_else(principal, user_id)
    if user.proven_at is None:
        user.proven_at = timezone.now()
        user.save(update_fields=["proven_at"])
        record_of_person(principal, VOUCH_FOR_ADDRESS, user)
        _tell(principal, user, "emails/vouched")
    return user


@transaction.atomic
def remove_second_factors(*, principal: Principal, user_id: str) -> User:
    """Take authenticator, passkeys and recovery codes off, of somebody who has lost their phone."""
    user = _somebody_else(principal, user_id)
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise Conflict("userId: this person has no second factor.", field="userId")
    record_of_person(principal, REMOVE_SECOND_FACTORS, user)
    _tell(principal, user, "emails/second_factors_removed")
    return user


def _somebody_else(principal: Principal, user_id: str) -> User:
    """Nobody does this for themselves: whoever finds an open session would need no password for it."""
    user = locked_person(principal, user_id)
    if user == principal.user:
        raise Conflict("userId: another admin of the host must do this for you.", field="userId")
    return user


def _tell(principal: Principal, user: User, template: str) -> None:
    with translation.override(language_for(user.language)):
        who = name_of_actor(principal.label)
    send_later(template, user.email, {"who": who}, kind=Kind.NOTICE, language=user.language)
