"""API accounts and their tokens (contract: "Getting a token")."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItemPerMinute

from accounts.audit import Act, record
from accounts.hashing import hash_secret
from accounts.models import AccessToken, ApiAccount, User
from accounts.models.api_account import API_ACCOUNT_NAME_PATTERN
from accounts.permissions import Action, require
from accounts.principals import Principal
from common.errors import Conflict, InvalidInput, NotFound
from common.rate_limits import RateLimit

#: Whoever finds an open session must not guess its owner's password.
_WRONG_PASSWORDS = RateLimit("password again", RateLimitItemPerMinute(10))
_NAME = re.compile(API_ACCOUNT_NAME_PATTERN)
#: No secret has this hash; compared with where there is no account.
_NO_HASH = "0" * 64


CREATE_API_ACCOUNT = Act("create API account", _("made the API account %(subject)s"))
DELETE_API_ACCOUNT = Act("delete API account", _("deleted the API account %(subject)s"))


@dataclass(frozen=True, slots=True)
class IssuedApiAccount:
    """A new API account with its secret: the one time that anybody sees it."""

    api_account: ApiAccount
    secret: str = field(repr=False)


def create_api_account(*, principal: Principal, name: str, password: str | None = None) -> IssuedApiAccount:
    """Make an API account. A person gives their own password again; API accounts and the operator have none.

    Conflict where the name is taken.
    """
    require(principal, Action.EDIT_API_ACCOUNTS)
    if not _NAME.match(name):
        raise InvalidInput("name", "must have 1 to 20 letters and digits, A to Z, a to z and 0 to 9.")
    # Before the transaction: checking a password takes long, and on SQLite all writers would wait.
    if principal.user is not None:
        _check_password(principal.user, password or "")
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        api_account, created = ApiAccount.objects.get_or_create(
            name=name, defaults={"secret_hash": hash_secret(secret), "created_by": principal.user}
        )
        if not created:
            raise Conflict("name: an API account has this name already.", field="name")
        record(principal, CREATE_API_ACCOUNT, api_account)
    return IssuedApiAccount(api_account, secret)


def _check_password(user: User, password: str) -> None:
    if _WRONG_PASSWORDS.is_exhausted(str(user.pk)):
        raise InvalidInput("password", "was wrong too often. Wait a minute, then try again.")
    if not user.check_password(password):
        _WRONG_PASSWORDS.hit(str(user.pk))
        raise InvalidInput("password", "must be your own password.")


@transaction.atomic
def delete_api_account(*, principal: Principal, name: str) -> None:
    """Delete an API account; its tokens end at once."""
    require(principal, Action.EDIT_API_ACCOUNTS)
    # Locked, so that no token is issued between the delete of the tokens and that of the account.
    found = ApiAccount.objects.select_for_update().filter(name=_possible_name(name)).first()
    if found is None:
        raise NotFound("name: there is no API account of this name.", field="name")
    record(principal, DELETE_API_ACCOUNT, found)
    found.delete()


def check_credentials(*, name: str, secret: str) -> ApiAccount | None:
    """The API account whose secret this is.

    An unknown name costs the same query, hash and comparison as a wrong secret: time must not tell which names exist.
    For the same reason the account is loaded afterwards: making a model instance takes long enough to be measured.
    """
    accounts = ApiAccount.objects.filter(name=_possible_name(name))
    secret_hash = accounts.values_list("secret_hash", flat=True).first() or _NO_HASH
    return accounts.first() if hmac.compare_digest(hash_secret(secret), secret_hash) else None


@transaction.atomic
def store_access_token(*, api_account: ApiAccount, token: str) -> None:
    """Keep a new token of the account and drop its expired ones; NotFound where the account was deleted meanwhile."""
    now = timezone.now()
    # First, since the update locks the row: a delete of the account waits, or has happened.
    if not ApiAccount.objects.filter(pk=api_account.pk).update(last_used_at=now):
        raise NotFound("This API account was deleted.")
    AccessToken.objects.filter(api_account=api_account, expires_at__lte=now).delete()
    AccessToken.objects.create(
        api_account=api_account,
        token_hash=hash_secret(token),
        expires_at=now + timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS),
    )


def find_access_token(*, api_account: ApiAccount, token: str) -> AccessToken | None:
    """The account's own token, while it is valid."""
    valid = AccessToken.objects.filter(api_account=api_account, expires_at__gt=timezone.now())
    return valid.select_related("api_account").filter(token_hash=hash_secret(token)).first()


def revoke_access_token(token: AccessToken) -> None:
    """End a token. Every request looks its token up, so this holds at once in all processes."""
    token.delete()


def _possible_name(name: str) -> str:
    """``name``, or where no account can have it (PostgreSQL refuses NUL, say), the empty one, which none has."""
    return name if _NAME.match(name) else ""
