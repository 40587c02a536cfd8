"""Passwords of people who are active already: changed by themselves, or by a link that an admin has sent to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record, record_of_person
from accounts.languages import language_for
from accounts.mail import Kind, compose, may_mail, send_in_background, send_later
from accounts.models import Membership, Tenant, User
from accounts.permissions import Action, get_tenant, require
from accounts.principals import Principal, principal_of_key
from accounts.services.people import looks_after
from accounts.tokens import MAILED, shown_to
from common.errors import InvalidInput, NotFound

_TEMPLATE = "account/email/password_reset_key"
#: Stands in a link between its token and the key of whom it was shown to.
_SHOWN_TO = "."

CHANGE_PASSWORD = Act("change password", _("chose a new password"))
SEND_PASSWORD_RESET = Act("send password reset", _("made a link to a new password for %(subject)s"))


@dataclass(frozen=True, slots=True)
class SentReset:
    """Whether a link is on its way to the person by mail, and another one to show; None for who must not see it."""

    is_mailed: bool
    link: str | None


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Store a password that allauth has checked; the log of each of the person's accounts tells of it."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record_of_person(Principal(user=user), CHANGE_PASSWORD, user)


@transaction.atomic
def send_password_reset(*, principal: Principal, user_id: str, tenant_id: str | None = None) -> SentReset:
    """Mail a person of the account (or of the host) the link to a new password.

    A link is returned to those only who look after everything that the person has a role in: in other hands it would
    open accounts that are closed to them. It ends once that is not so any more, or once the person's roles change.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_PEOPLE) if tenant_id else None
    if tenant is None:
        require(principal, Action.EDIT_HOST_PEOPLE)
    user = _active_member(user_id, tenant)
    record(principal, SEND_PASSWORD_RESET, user, tenant=tenant)
    link = _link(user, MAILED.make_token(user))
    is_mailed = send_later(
        _TEMPLATE, user.email, {"link": link}, kind=Kind.PASSWORD, language=user.language, account=tenant_id or ""
    )
    return SentReset(is_mailed, _shown_link(principal, user) if looks_after(principal, user) else None)


def mail_new_password(*, email: str) -> None:
    """Mail who has forgotten their password a link to a new one, to the address that we know.

    All of it happens beside the request, and nearly as much for an address that nobody has: the answer's time tells
    nobody which addresses are known.
    """
    send_in_background(Kind.PASSWORD, partial(_forgotten, email.strip().lower(), translation.get_language()))


def _forgotten(email: str, language: str | None) -> EmailMessage | None:
    user = User.objects.filter(email=email).first()
    someone = user or User(email=email, password="!")  # noqa: S106  # no password  # nosec B106
    with translation.override(language_for(someone.language, language)):
        message = compose(_TEMPLATE, someone.email, {"link": _link(someone, MAILED.make_token(someone))})
    if user is None or not user.is_active or not may_mail(Kind.PASSWORD, user.email, f"person {user.pk}"):
        return None
    return message


class NewPasswordTokens:
    """The keys of links to a new password, for allauth's page on which it is chosen."""

    def make_token(self, user: User) -> str:
        """Mailed, as allauth does with it."""
        return MAILED.make_token(user)

    def check_token(self, user: User, key: str) -> bool:
        """Is the link good? One that was shown is, as long as it would be shown again."""
        token, is_shown, issuer = key.partition(_SHOWN_TO)
        if not is_shown:
            return MAILED.check_token(user, token)
        if not shown_to(issuer).check_token(user, token):
            return False
        principal = principal_of_key(issuer)
        return principal is not None and looks_after(principal, user)


def _shown_link(principal: Principal, user: User) -> str:
    return _link(user, f"{shown_to(principal.key).make_token(user)}{_SHOWN_TO}{principal.key}")


def _link(user: User, key: str) -> str:
    """The page on which the person chooses a new password: valid for three days, and used once."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user.pk.hex, "key": key})
    return f"{settings.BASE_URL}{path}"


def _active_member(user_id: str, tenant: Tenant | None) -> User:
    """Somebody who has accepted a role here: whoever was only offered one is not this place's to look after."""
    try:
        key = uuid.UUID(user_id)
    except ValueError:
        raise InvalidInput("userId", "must be a UUID.") from None
    membership = Membership.objects.filter(user_id=key, tenant=tenant).select_related("user").first()
    if membership is None:
        raise NotFound("userId: nobody with this id has a role here.", field="userId")
    if membership.accepted_at is None or not membership.user.is_active:
        raise InvalidInput("userId", "has not accepted a role here yet, or may not sign in any more.")
    return membership.user
