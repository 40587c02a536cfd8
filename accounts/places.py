"""Where people have roles, for the pages that an account and the host both have."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.http import urlencode

from accounts.models import RoleLevel, Tenant
from accounts.role_names import Role
from accounts.views.pages import address


@dataclass(frozen=True, slots=True)
class Place:
    """Where people have roles: an account, or the host where ``tenant`` is None."""

    tenant: Tenant | None
    may_edit: bool

    def address(self, page: str, *args: object) -> str:
        """The page's address in this place."""
        return address(f"{self._pages}:{page}", self.tenant, *args)

    def role(self, level: str) -> str:
        """The name of the role of that level here."""
        return Role(RoleLevel(level), self.tenant_id).name

    @property
    def tenant_id(self) -> str | None:
        """The account's id."""
        return self.tenant.pk if self.tenant else None

    @property
    def person_page(self) -> str:
        """The name of the page of one person; ``query`` goes behind its address."""
        return f"{self._pages}:person"

    @property
    def query(self) -> str:
        """What names the account in an address."""
        return f"?{urlencode({'tenant': self.tenant.pk})}" if self.tenant else ""

    @property
    def _pages(self) -> str:
        return "accounts" if self.tenant else "host"

    @property
    def users(self) -> str:
        """The list's address."""
        return self.address("users")

    @property
    def invite(self) -> str:
        """The address of the page that invites."""
        return self.address("invite")
