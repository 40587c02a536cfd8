"""Who acts: a person, an API account, or the operator at the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.borders import Borders
from accounts.models import ApiAccount, Membership, RoleLevel, User
from common.statements import Guard

#: What the audit log puts before an API account's name.
API_ACCOUNT_LABEL = "API account "


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in caller and the roles it has; found by a door, passed to every service. Requests may share one.

    ``host_level`` is the role at the host, ``tenant_levels`` the role in each account, by its id.
    """

    user: User | None = None
    api_account: ApiAccount | None = None
    host_level: RoleLevel | None = None
    tenant_levels: Mapping[str, RoleLevel] = field(default_factory=dict)
    is_system: bool = False
    #: Of an API account that is for one account: the role at the host holds in this one alone, and not at the host.
    hosted_tenant_id: str | None = None
    #: Of an API account whose time ends: it makes nobody at the host who would outlive it.
    ends: bool = False
    #: Of a principal that is remembered by its token: reads that are given it make sure that the token is still valid.
    guard: Guard | None = field(default=None, compare=False, repr=False)
    #: How the audit log names a principal that is neither.
    name: str = "command line"

    @property
    def sees_all_tenants(self) -> bool:
        """The host's people and API accounts see every account's name, status and usage."""
        return self.is_system or self.host_level_in(None) is not None

    def host_level_in(self, tenant_id: str | None) -> RoleLevel | None:
        """The role that the host's people and API accounts have in an account; of None, at the host itself."""
        return self.host_level if self.hosted_tenant_id in (None, tenant_id) else None

    @property
    def tenant_ids(self) -> list[str]:
        """The accounts in which the principal has a role of its own."""
        return list(self.tenant_levels)

    @property
    def borders(self) -> Borders:
        """How far the principal sees."""
        user_id = None if self.user is None else self.user.pk
        return Borders(
            is_system=self.is_system,
            sees_all_tenants=self.sees_all_tenants,
            tenant_ids=frozenset(self.tenant_levels),
            hosted_tenant_id=self.hosted_tenant_id,
            user_id=user_id,
        )

    @property
    def only_tenant_id(self) -> str | None:
        """The one account that the principal can go to, if it is the only one."""
        return self.tenant_ids[0] if len(self.tenant_ids) == 1 and not self.sees_all_tenants else None

    @property
    def key(self) -> str:
        """What a link holds of whoever it was shown to, for ``principal_of_key``; nothing for the operator."""
        if self.user is not None:
            return f"person-{self.user.pk.hex}"
        return f"api-{self.api_account.pk}" if self.api_account else ""

    @property
    def label(self) -> str:
        """How the audit log names the principal."""
        if self.user is not None:
            return self.user.email
        return f"{API_ACCOUNT_LABEL}{self.api_account.name}" if self.api_account else self.name


def principal_of_user(user: User) -> Principal:
    """The person with the roles they have accepted: one query."""
    host_level: RoleLevel | None = None
    tenant_levels: dict[str, RoleLevel] = {}
    for membership in Membership.objects.filter(user=user, accepted_at__isnull=False):
        if membership.tenant_id is None:
            host_level = RoleLevel(membership.level)
        else:
            tenant_levels[membership.tenant_id] = RoleLevel(membership.level)
    return Principal(user=user, host_level=host_level, tenant_levels=tenant_levels)


def principal_of_api_account(api_account: ApiAccount, *, ends: bool | None = None) -> Principal:
    """API accounts act as agency-admin (the reference's rule), within their scope: no query.

    One that is read only acts as agency-view; one for one account does so there, and has no role at the host.
    """
    level = RoleLevel.VIEW if api_account.read_only else RoleLevel.ADMIN
    ends = api_account.expires_at is not None if ends is None else ends
    return Principal(api_account=api_account, host_level=level, hosted_tenant_id=api_account.tenant_id, ends=ends)


def principal_of_key(key: str) -> Principal | None:
    """Whoever has the key, with what they may do now; None for who is not there any more, or may not sign in."""
    kind, _, name = key.partition("-")
    if kind == "person":
        user = User.objects.filter(pk=name).first()
        return principal_of_user(user) if user and user.is_active else None
    if kind == "api":
        account = ApiAccount.objects.filter(pk=name).first()
        return principal_of_api_account(account) if account and not account.has_expired else None
    return None if key else OPERATOR


#: The operator at the command line, who could edit the database as well: no border holds.
OPERATOR = Principal(host_level=RoleLevel.ADMIN, is_system=True)
#: The portal itself, when it is time.
SCHEDULE = Principal(host_level=RoleLevel.ADMIN, is_system=True, name="schedule")
