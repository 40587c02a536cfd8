"""The one family of errors that a service may raise.

A door translates them once: ``portal.graphql.errors`` for GraphQL, ``portal.api`` for REST, ``portal.middleware``
for HTML. The codes are those of the reference ("Error Codes" of every operation).
"""

from __future__ import annotations

from typing import ClassVar


class PortalError(Exception):
    """A refusal that the caller may read: ``message`` names the rule, ``field`` the input it is about."""

    code: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(PortalError):
    """The input breaks a rule. Nothing was changed."""

    code = 400

    def __init__(self, field: str, rule: str, **limits: int) -> None:
        """``limits`` fill the rule's ``{name}``: pages look the rule itself up in their translations."""
        super().__init__(f"{field}: {rule.format(**limits) if limits else rule}", field=field)
        self.rule, self.limits = rule, limits


class NotAuthorized(PortalError):
    """The caller is not signed in, or may not do this.

    Hidden and missing accounts share one message, so that nobody can find out which accounts exist.
    """

    code = 401

    def __init__(self, message: str = "You may not do this in this account, or the account does not exist.") -> None:
        super().__init__(message)


class NotFound(PortalError):
    """The thing that the input names is not there, or not visible to the caller."""

    code = 404


class Conflict(PortalError):
    """The input is well-formed, but what it asks for stands already."""

    code = 409
