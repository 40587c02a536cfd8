"""People and their roles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import FORGET_PERSON, Act, labels_of, record
from accounts.models import Membership, RoleLevel, Tenant, User
from accounts.permissions import Action, get_tenant, is_allowed, require
from accounts.principals import Principal
from accounts.role_names import Role, parse_role
from accounts.services.invitations import issue_invitation, set_new_password
from common.errors import Conflict, InvalidInput, NotFound
from common.validation import clean_email

_ROLE, _LEVELS = {"role": _("Role")}, labels_of("role", RoleLevel)
ADD_PERSON = Act("add person", _("invited %(subject)s"), _ROLE, _LEVELS)
CHANGE_ROLE = Act("change role", _("changed the role of %(subject)s"), _ROLE, _LEVELS)
REMOVE_PERSON = Act("remove person", _("revoked the access of %(subject)s"), _ROLE, _LEVELS)


@dataclass(frozen=True, slots=True)
class AddedUser:
    """A person with a new role. ``existed`` tells that the person was known before, from another account."""

    user: User
    existed: bool
    invitation_link: str
    is_mailed: bool


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A person made by the operator, ready to sign in or to be invited."""

    user: User
    invitation_link: str | None


@transaction.atomic
def add_user_with_role(*, principal: Principal, email: str, role_name: str) -> AddedUser:
    """Give a person a role, to be accepted by invitation.

    NotFound for an unknown role, Conflict for a person who has a role there already.
    """
    role = parse_role("roleName", role_name)
    tenant = _open_place(principal, role, "roleName")
    return admit(principal, email=email, tenant=tenant, level=role.level)


@transaction.atomic
def create_user(*, principal: Principal, email: str, role_name: str, password: str | None = None) -> CreatedUser:
    """Make a person who can sign in at once with ``password``, or by invitation where none is given."""
    role = parse_role("role", role_name)
    tenant = _open_place(principal, role, "role")
    if password is None:
        added = admit(principal, email=email, tenant=tenant, level=role.level)
        return CreatedUser(added.user, added.invitation_link)
    address = clean_email("email", email)
    user = User.objects.select_for_update().filter(email=address).first() or User(email=address, default_tenant=tenant)
    if user.status != User.Status.PENDING:
        raise Conflict("email: this person has a password already; leave the password out.", field="email")
    set_new_password(user, password)
    user.status = User.Status.ACTIVATED
    if principal.is_system:
        user.proven_at = timezone.now()  # the operator vouches for the address
    user.save()
    membership = _add_membership(user, tenant, role.level)
    membership.accepted_at = timezone.now()
    membership.save(update_fields=["accepted_at"])
    record(principal, ADD_PERSON, user, tenant=tenant, changes={"role": [None, str(role.level)]})
    return CreatedUser(user, None)


@transaction.atomic
def change_role_for_user(
    *, principal: Principal, user_id: str, role_to_revoke: str | None = None, role_to_add: str | None = None
) -> User:
    """Take a role from a person, give one, or both at once.

    One role per person and account: a role added where the person has one replaces it. The last admin of an account
    can be neither removed nor demoted.
    """
    if not role_to_revoke and not role_to_add:
        raise InvalidInput("roleToAdd", "name a role to add, a role to revoke, or both.")
    revoked = parse_role("roleToRevoke", role_to_revoke) if role_to_revoke else None
    added = parse_role("roleToAdd", role_to_add) if role_to_add else None
    # In the order of their ids, so that two changes at once cannot wait for each other.
    named = [(role, field) for role, field in ((revoked, "roleToRevoke"), (added, "roleToAdd")) if role]
    named.sort(key=lambda pair: pair[0].tenant_id or "")
    places = {role.tenant_id: _open_place(principal, role, field) for role, field in named}
    user = visible_user(principal, user_id)
    if revoked:
        _check_has_role(user, revoked)
    if revoked and (added is None or added.tenant_id != revoked.tenant_id):
        _remove(principal, user, places[revoked.tenant_id])
    if added:
        _set_level(principal, user, places[added.tenant_id], added.level)
    forget_strangers(principal, [user.pk])
    return user


def admit(principal: Principal, *, email: str, tenant: Tenant | None, level: RoleLevel) -> AddedUser:
    """Add a membership that waits for its acceptance, and invite the person. The caller has checked permission."""
    user, is_new = _find_or_add(clean_email("email", email), tenant)
    if user.status == User.Status.DEACTIVATED:
        raise Conflict("email: this person is deactivated and could not accept.", field="email")
    membership = _add_membership(user, tenant, level)
    record(principal, ADD_PERSON, user, tenant=tenant, changes={"role": [None, str(level)]})
    issued = issue_invitation(principal, membership, email.strip())
    return AddedUser(user, not is_new, issued.link, issued.is_mailed)


def _find_or_add(email: str, tenant: Tenant | None) -> tuple[User, bool]:
    """The person, locked against ``forget_strangers``, and whether they are new."""
    user, is_new = User.objects.get_or_create(email=email, defaults={"default_tenant": tenant})
    locked = User.objects.select_for_update().filter(pk=user.pk).first()
    # Between the two statements the person may have been forgotten.
    return (locked, is_new) if locked else (User.objects.create(email=email, default_tenant=tenant), True)


def _add_membership(user: User, tenant: Tenant | None, level: RoleLevel) -> Membership:
    try:
        with transaction.atomic():
            membership = Membership.objects.create(user=user, tenant=tenant, level=level)
    except IntegrityError:
        raise Conflict("email: this person has a role here already.", field="email") from None
    if user.roleless_since is not None:  # the schedule may not come by before this role is lost, too
        user.roleless_since = None
        user.save(update_fields=["roleless_since"])
    return membership


def forget_strangers(principal: Principal, user_ids: Iterable[uuid.UUID]) -> None:
    """Delete those who never signed in and have no role left: nothing justifies keeping their address.

    Each is recorded, by the number alone: else an older backup would bring the role back.
    """
    strangers = User.objects.filter(pk__in=user_ids, status=User.Status.PENDING)
    # Locked first, then looked at again: somebody may be giving one of them a new role at this moment.
    locked = [user.pk for user in strangers.select_for_update().order_by("pk")]
    for stranger in User.objects.filter(pk__in=locked, memberships=None):
        record(principal, FORGET_PERSON, stranger.pk)
        stranger.delete()


def _open_place(principal: Principal, role: Role, field: str) -> Tenant | None:
    """Check that the principal may change people where the role holds, and lock that place against other changes."""
    if role.tenant_id is None:
        require(principal, Action.EDIT_HOST_PEOPLE)
        lock_host()
        return None
    if principal.sees_all_tenants and not Tenant.objects.filter(pk=role.tenant_id).exists():
        raise NotFound("{name}: there is no such role, since no account has this id.", field=field, name=field)
    return get_tenant(principal, role.tenant_id, Action.EDIT_PEOPLE, lock=True)


def lock_host() -> None:
    """Hold the host's memberships until the transaction ends, as ``get_tenant(lock=True)`` holds an account."""
    list(Membership.objects.select_for_update().filter(tenant=None).order_by("pk"))


def visible_people(principal: Principal) -> QuerySet[User]:
    """People with a role that the principal may know of; the host's admins look after those too who have none left."""
    visible = Q(pk__in=Membership.objects.visible_to(principal.borders).values("user_id"))
    if is_allowed(principal, Action.EDIT_HOST_PEOPLE):
        visible |= Q(memberships=None)
    return User.objects.filter(visible)


def looks_after(principal: Principal, user: User) -> bool:
    """May the principal change people wherever the person has accepted a role?

    Only accepted roles count. If offers counted, an account's admin could offer a role to any person, and so stop
    others from helping them. For a person who has accepted nothing, the principal must be able to change every offer.
    """
    roles = Membership.objects.filter(user=user).select_related("tenant")
    accepted = [role for role in roles if role.accepted_at is not None]
    return all(
        is_allowed(principal, Action.EDIT_PEOPLE if role.tenant else Action.EDIT_HOST_PEOPLE, role.tenant)
        for role in accepted or roles
    )


def visible_user(principal: Principal, user_id: str) -> User:
    """The person, if the principal may know of them; InvalidInput for an id that is none, else NotFound."""
    try:
        key = uuid.UUID(user_id)
    except ValueError:
        raise InvalidInput("userId", "must be a UUID.") from None
    user = visible_people(principal).filter(pk=key).first()
    if user is None:
        raise NotFound("userId: there is no such person in an account that you can see.", field="userId")
    return user


def _check_has_role(user: User, role: Role) -> None:
    if not Membership.objects.filter(user=user, tenant_id=role.tenant_id, level=role.level).exists():
        raise NotFound("roleToRevoke: the person does not have this role.", field="roleToRevoke")


def _remove(principal: Principal, user: User, tenant: Tenant | None) -> None:
    membership = Membership.objects.with_last_admin().get(user=user, tenant=tenant)
    _check_not_last_admin(membership)
    membership.delete()
    record(principal, REMOVE_PERSON, user, tenant=tenant, changes={"role": [membership.level, None]})


def _set_level(principal: Principal, user: User, tenant: Tenant | None, level: RoleLevel) -> None:
    membership = Membership.objects.with_last_admin().filter(user=user, tenant=tenant).first()
    if membership is None:
        admit(principal, email=user.email, tenant=tenant, level=level)
        return
    if membership.level == level:
        return
    _check_not_last_admin(membership)
    before, membership.level = membership.level, level
    membership.save(update_fields=["level"])
    record(principal, CHANGE_ROLE, user, tenant=tenant, changes={"role": [before, str(level)]})


def _check_not_last_admin(membership: Membership) -> None:
    if membership.is_last_admin:
        raise InvalidInput("roleToRevoke", "the last admin of an account can be neither removed nor demoted.")
