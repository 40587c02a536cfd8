"""Invitations: a link that lets a person accept a role (contract: "Invitation link")."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.mail import Kind, send_later
from accounts.models import Invitation, Membership, RoleLevel, Tenant, TenantStatus, User
from accounts.permissions import Action, get_tenant, is_allowed, require
from accounts.principals import Principal, principal_of_key
from accounts.secret_hashes import hash_secret
from accounts.services.proof import note_proof
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound
from common.validation import clean_email

AGENCY = "AGENCY"
ADVERTISER = "ADVERTISER"


SEND_INVITATION = Act("send invitation", _("made a new invitation link for %(subject)s"))
ACCEPT_INVITATION = Act("accept invitation", _("accepted the invitation"))


@dataclass(frozen=True, slots=True)
class Issued:
    """The link to show to whoever invites, and whether another one is on its way to the person by mail."""

    link: str
    is_mailed: bool


def issue_invitation(principal: Principal, membership: Membership, email: str) -> Issued:
    """Make the membership's valid links: one to show, and one to mail after the commit. Earlier ones stop working.

    Both accept the role, once. Only the mailed one proves the address, and the one that a command prints: the operator
    vouches for it. ``email`` is the address as given: the links carry it unchanged. Whoever has no language yet is
    written to in that of whoever invites.
    """
    shown, proof = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    Invitation.objects.update_or_create(
        membership=membership,
        defaults={
            "token_hash": hash_secret(shown),
            "proof_hash": hash_secret(proof),
            "shown_to": principal.key,
            "expires_at": timezone.now() + timedelta(hours=settings.INVITATION_LIFETIME_HOURS),
        },
    )
    is_mailed = send_later(
        "emails/invitation",
        membership.user.email,
        {"membership": membership, "link": _link(proof, email)},
        kind=Kind.INVITATION,
        language=membership.user.language,
        account=membership.tenant_id or "",
    )
    return Issued(_link(proof if principal.is_system else shown, email), is_mailed)


def _link(token: str, email: str) -> str:
    query = urlencode({"token": token, "et": "inv", "email": email}, safe="@")
    return f"{settings.BASE_URL}/auth/verify/?{query}"


@transaction.atomic
def send_invitation(*, principal: Principal, email: str, user_type: str, tenant_id: str | None = None) -> Issued:
    """Invite a person again who has not accepted yet.

    NotFound where the address has no role there, Conflict where it was accepted. The host may do this for the admin
    of an account that it does not manage, and learns nothing else of that account's people.
    """
    address = clean_email("email", email)
    if user_type == AGENCY:
        require(principal, Action.EDIT_HOST_PEOPLE)
        membership = _invited(address, tenant_id=None)
    else:
        if not tenant_id:
            raise InvalidInput("tenantId", "is required where userType is ADVERTISER.")
        tenant = get_tenant(principal, tenant_id, Action.INVITE_ADMIN, lock=True)
        membership = _invited(address, tenant_id=tenant.pk)
        may = may_be_shown(principal, membership) if membership else is_allowed(principal, Action.EDIT_PEOPLE, tenant)
        if not may:
            raise NotAuthorized
    if membership is None:
        raise NotFound("email: nobody with this address has a role here.", field="email")
    if membership.accepted_at is not None:
        raise Conflict("email: this person has accepted the invitation already.", field="email")
    record(principal, SEND_INVITATION, membership.user, tenant=membership.tenant)
    return issue_invitation(principal, membership, email.strip())


def _invited(email: str, tenant_id: str | None) -> Membership | None:
    memberships = Membership.objects.select_related("user", "tenant")
    return memberships.filter(user__email=email, tenant_id=tenant_id).first()


def may_be_shown(principal: Principal, membership: Membership) -> bool:
    """May the principal have a link that lets somebody in as this person?

    Whoever may change people there may. For others at the host it is the first admin's alone, while no admin has
    come yet: a later one would let the host in.
    """
    tenant = membership.tenant
    if is_allowed(principal, Action.EDIT_PEOPLE if tenant else Action.EDIT_HOST_PEOPLE, tenant):
        return True
    if tenant is None or membership.level != RoleLevel.ADMIN or not is_allowed(principal, Action.CREATE_TENANT):
        return False
    return not Membership.objects.accepted().filter(tenant=tenant, level=RoleLevel.ADMIN).exists()


def _check_shown(invitation: Invitation, token_hash: str) -> None:
    """NotFound for the link that was shown to somebody who may not have it any more. The mailed one stays good."""
    if invitation.token_hash != token_hash:
        return
    principal = principal_of_key(invitation.shown_to)
    if principal is None or not may_be_shown(principal, invitation.membership):
        raise NotFound("This link is not valid any more. Ask for a new one.")


def find_invitation(*, token: str, email: str) -> Invitation:
    """The invitation that a link names, if it is still good; else NotFound with what to do next."""
    token_hash = hash_secret(token)
    invitation = (
        Invitation.objects.select_related("membership__user", "membership__tenant")
        .filter(Q(token_hash=token_hash) | Q(proof_hash=token_hash), membership__accepted_at=None)
        .first()
    )
    if invitation is None or invitation.membership.user.email != email.strip().lower():
        raise NotFound("This link was used already or is not valid. Ask the person who invited you for a new one.")
    if invitation.has_expired:
        raise NotFound("This link has expired. Ask the person who invited you for a new one.")
    _check_shown(invitation, token_hash)
    return invitation


@transaction.atomic
def accept_invitation(*, token: str, email: str, password: str | None, signed_in: User | None) -> Membership:
    """Take up the role that the link offers, once.

    A person who is new sets ``password`` and becomes active. One who is active already must be signed in: the link
    alone must not open what other accounts have given to the same person. A pending account turns active with its
    first admin. The link that was mailed proves the address.
    """
    invitation = find_invitation(token=token, email=email)
    # The delete is what makes the link good for one use: of two requests at once, one finds it gone.
    if not Invitation.objects.filter(pk=invitation.pk).delete()[0]:
        raise NotFound("This link was used already. Sign in, or ask for a new one.")
    membership = invitation.membership
    # The account first, as everywhere; then the person: of two links opened at once, only one may set the password.
    membership.tenant = Tenant.objects.select_for_update(no_key=True).filter(pk=membership.tenant_id).first()
    _check_shown(invitation, hash_secret(token))  # once more: nobody's role there changes from now on
    user = User.objects.select_for_update().get(pk=membership.user_id)
    if user.status == User.Status.PENDING:
        _activate(user, password or "")
    elif signed_in != user:
        raise NotAuthorized("Sign in first, then open the link again.")
    if invitation.proof_hash == hash_secret(token):
        note_proof(user)
    membership.user = user
    membership.accepted_at = timezone.now()
    membership.save(update_fields=["accepted_at"])
    tenant = membership.tenant
    if tenant and tenant.status == TenantStatus.PENDING and membership.level == RoleLevel.ADMIN:
        tenant.status = TenantStatus.ACTIVE
        tenant.save(update_fields=["status"])
    record(Principal(user=user), ACCEPT_INVITATION, user, tenant=tenant)
    return membership


def _activate(user: User, password: str) -> None:
    set_new_password(user, password)
    user.status = User.Status.ACTIVATED
    user.save(update_fields=["password", "status"])


def set_new_password(user: User, password: str) -> None:
    """Check the password against Django's validators and set it, unsaved; InvalidInput says what is wrong with it."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput("password", " ".join(error.messages)) from None
    user.set_password(password)
