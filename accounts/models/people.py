"""People, the role each has in an account or at the host, and their invitations."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.borders import Borders
from accounts.models.tenant import Tenant, open_to

LANGUAGE_MAX_LENGTH = 10


class RoleLevel(models.TextChoices):
    """The action in a role's name: ``agency-<action>``, ``advertiser-<action>-<tenantId>``."""

    ADMIN = "admin", _("Admin")
    MANAGE = "manage", _("Standard")
    VIEW = "view", _("View only")


class UserManager(BaseUserManager["User"]):
    """Looks people up by address, in lower case."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person, known by the email address. What a person may do follows from memberships alone."""

    class Status(models.IntegerChoices):
        """The reference's ``User.status``."""

        DEACTIVATED = 0, _("Deactivated")
        ACTIVATED = 1, _("Active")
        PENDING = 2, _("Invited")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    status = models.PositiveSmallIntegerField(choices=Status.choices, default=Status.PENDING)
    default_tenant = models.ForeignKey(Tenant, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_on = models.DateField("temporary until", null=True, blank=True)
    # When it was shown that who signs in reads the address's mails; second factors wait for it (docs/decisions/0023).
    proven_at = models.DateTimeField("address proven", null=True, blank=True, editable=False)
    # Since when no role is left; the schedule notes it, and forgets the person in the end.
    roleless_since = models.DateTimeField("without a role since", null=True, blank=True, editable=False)
    # In which pages and mails are written for the person; empty until they sign in, or choose one.
    language = models.CharField(max_length=LANGUAGE_MAX_LENGTH, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[0, 1, 2]), name="user_status_known"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # a column in Django's class, a rule in ours
        """May this person sign in? Temporary people may until the end of their last day."""
        expired = self.expires_on is not None and self.expires_on < timezone.now().date()
        return self.status == self.Status.ACTIVATED and not expired

    @cached_property
    def is_staff(self) -> bool:
        """Django admin is for the host's admins. It asks many times a page, the database is asked once."""
        return (
            self.is_active
            and self.memberships.filter(tenant=None, level=RoleLevel.ADMIN, accepted_at__isnull=False).exists()
        )

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Staff may open every admin page; what they can do there is decided by the admin classes and services."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Who belongs where, as far as the principal may know."""

    def visible_to(self, borders: Borders) -> Self:
        """Memberships of the accounts that are open to the principal, the host's for the host, and one's own."""
        if borders.is_system:
            return self
        visible = open_to(borders, "tenant__")
        if borders.sees_all_tenants:
            visible |= Q(tenant=None)
        if borders.user_id is not None:
            visible |= Q(user=borders.user_id)
        return self.filter(visible)

    def accepted(self) -> Self:
        """Roles that have effect."""
        return self.filter(accepted_at__isnull=False)

    def with_last_admin(self) -> Self:
        """Add ``is_last_admin``: without this one nobody could run the account (or the host) any more.

        Only those who have accepted and may still sign in can run it; an invitation alone counts where there is no
        other admin at all.
        """
        others = Membership.objects.filter(level=RoleLevel.ADMIN).exclude(pk=OuterRef("pk")).exclude(cannot_sign_in())
        return self.annotate(
            is_last_admin=Case(
                When(~Q(level=RoleLevel.ADMIN), then=Value(False)),
                default=_none_here(others.filter(Q(accepted_at__isnull=False) | IsNull(OuterRef("accepted_at"), True))),
            )
        )


def cannot_sign_in() -> Q:
    """Memberships of people who are deactivated, or whose time is over."""
    return Q(user__status=User.Status.DEACTIVATED) | Q(user__expires_on__lt=timezone.now().date())


def _none_here(memberships: MembershipQuerySet) -> Case:
    """Is there none of them in the account, or at the host, of the outer row?"""
    return Case(
        When(tenant=None, then=~Exists(memberships.filter(tenant=None))),
        default=~Exists(memberships.filter(tenant=OuterRef("tenant"))),
    )


class Membership(models.Model):
    """The one role of a person in an account, or at the host where ``tenant`` is null.

    A role has effect once the person has accepted it (``accepted_at``): whoever can read one account's invitation
    must not gain what another account has offered to the same address.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="memberships")
    level = models.CharField("role", max_length=10, choices=RoleLevel.choices)
    accepted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    #: Added by ``with_last_admin``.
    is_last_admin: bool

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="one_role_per_person_and_account"),
            models.UniqueConstraint(fields=["user"], condition=Q(tenant=None), name="one_role_per_person_at_the_host"),
            models.CheckConstraint(condition=Q(level__in=RoleLevel.values), name="membership_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.place}"

    @property
    def place(self) -> str:
        """Where the role holds, in words."""
        return str(self.tenant) if self.tenant else "the host"


class Invitation(models.Model):
    """Links that let a person accept a membership: valid for a day, used once. Only the tokens' hashes are kept."""

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="invitation")
    token_hash = models.CharField(max_length=64, unique=True)
    # Of the link that goes to the person alone, by mail, or is printed by a command. It proves the address.
    proof_hash = models.CharField(max_length=64, unique=True, null=True)
    # Principal.key of whoever the other link was shown to: it is good as long as it would be shown to them again.
    shown_to = models.CharField(max_length=40, default="", db_default="", editable=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Invitation of {self.membership.user}"

    @property
    def has_expired(self) -> bool:
        """Is the link no longer good?"""
        return self.expires_at <= timezone.now()
