"""From what a request carries to who acts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField
from django.http import HttpRequest
from django.utils import timezone

from accounts.hashing import hash_secret
from accounts.models import AccessToken, ApiAccount, User
from accounts.principals import Principal, principal_of_api_account, principal_of_user
from accounts.second_factors import lacks_second_factor
from portal.statements import Param, Statement


def principal_from_bearer(token: str) -> Principal | None:
    """The API account that the token was issued to, while it is valid: one query."""
    row = _api_account().one(token_hash=hash_secret(token), now=timezone.now())
    return principal_of_api_account(ApiAccount.from_db(DEFAULT_DB_ALIAS, _COLUMNS, row)) if row else None


_COLUMNS = ("id", "name")


@lru_cache
def _api_account() -> Statement[list[Any]]:
    """Finds the API account of a token by ``token_hash``, if it is valid ``now``."""
    tokens = AccessToken.objects.filter(token_hash=Param("token_hash"), expires_at__gt=Param("now", DateTimeField()))
    return Statement(tokens, *(f"api_account__{column}" for column in _COLUMNS))


def principal_from_session(request: HttpRequest) -> Principal | None:
    """The person signed in to the web UI, with their roles, while they are active and may act."""
    user = request.user
    principal = principal_of_user(user) if isinstance(user, User) and user.is_active else None
    return None if principal is None or lacks_second_factor(principal) else principal
