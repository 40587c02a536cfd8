"""Links that a person can use once: they end with a new password, a sign-in, or after three days.

A link that an admin is shown lets somebody choose a password. Only a link that was mailed, and to nobody else, proves
that whoever has it reads the mails of the address (docs/decisions/0023-proof-of-an-address.md).
"""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import User


class _Tokens(PasswordResetTokenGenerator):
    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.key_salt = f"accounts.tokens.{purpose}"


#: To a new password: mailed to the person alone.
MAILED = _Tokens("mailed")
#: To a new password: shown to an admin.
SHOWN = _Tokens("shown")


class _ProofTokens(_Tokens):
    def _make_hash_value(self, user: User, timestamp: int) -> str:
        # Without the last sign-in: whoever opens the mail on another device signs in first.
        return f"{user.pk}{user.password}{timestamp}{user.email}"


#: To the page that says: this address is mine.
PROOF = _ProofTokens("proof")


class PasswordTokens:
    """Both kinds, for allauth's page on which a new password is chosen."""

    def make_token(self, user: User) -> str:
        """Mailed, as allauth does with it."""
        return MAILED.make_token(user)

    def check_token(self, user: User, token: str) -> bool:
        """Is the link good?"""
        return MAILED.check_token(user, token) or SHOWN.check_token(user, token)
