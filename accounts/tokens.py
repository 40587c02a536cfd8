"""Links that a person can use once: they end with a new password, a sign-in, or after three days.

A link that an admin is shown lets somebody choose a password. Only a link that was mailed, and to nobody else, proves
that whoever has it reads the mails of the address (docs/decisions/0023-proof-of-an-address.md).
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import Membership, User


class Tokens(PasswordResetTokenGenerator):
    """Tokens for one purpose. A token ends as soon as one of the person's ``facts`` changes."""

    def __init__(self, purpose: str, facts: Callable[[User], str]) -> None:
        super().__init__()
        self.key_salt = f"accounts.tokens.{purpose}"
        self._facts = facts

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{user.pk}{self._facts(user)}{timestamp}{user.email}"


def _password(user: User) -> str:
    return user.password


def _password_and_sign_in(user: User) -> str:
    # Databases differ in what they keep below a second.
    last = "" if user.last_login is None else user.last_login.replace(microsecond=0, tzinfo=None)
    return f"{user.password}{last}"


def _with_roles(user: User) -> str:
    roles = Membership.objects.accepted().filter(user=user).order_by("pk").values_list("pk", "level")
    return f"{_password_and_sign_in(user)}{list(roles)}"


#: To a new password: mailed to the person alone.
MAILED = Tokens("mailed", _password_and_sign_in)
#: To the page that says: this address is mine. Whoever opens the mail on another device signs in first.
PROOF = Tokens("proof", _password)


def shown_to(issuer: str) -> Tokens:
    """To a new password: shown to an admin, and good for the roles that the person has at that moment."""
    return Tokens(f"shown.{issuer}", _with_roles)
