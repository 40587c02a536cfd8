"""From what a request carries to who acts."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import Any

from cachetools import LRUCache
from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField, Exists, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AccessToken, ApiAccount, User
from accounts.principals import Principal, principal_of_api_account, principal_of_user
from accounts.second_factors import lacks_second_factor
from accounts.secret_hashes import hash_secret
from common.statements import Guard, Param, Statement

#: Of every 401 of the APIs; RFC 6750 §3 wants a parameter behind the scheme.
BEARER_CHALLENGE = 'Bearer realm="gateway"'
#: The API accounts of the tokens used last, by the token's hash.
_remembered: LRUCache[str, Principal] = LRUCache(4_096)
_lock = Lock()


def principal_from_bearer(token: str) -> Principal | None:
    """The API account that the token was issued to, while it is valid: one query."""
    token_hash = hash_secret(token)
    row = _api_account().one(**_valid(token_hash))
    if row is None:
        with _lock:
            _remembered.pop(token_hash, None)
        return None
    *columns, expires_at = row
    api_account = ApiAccount.from_db(DEFAULT_DB_ALIAS, _COLUMNS, columns)
    principal = principal_of_api_account(api_account, ends=expires_at is not None)
    with _lock:
        _remembered[token_hash] = principal
    return principal


def remembered_bearer(token: str) -> Principal | None:
    """The API account that the token was good for when it was last looked up here: no query.

    It may have been taken back since. Nothing may be told or done before the principal's guard holds, or the token is
    looked up.
    """
    token_hash = hash_secret(token)
    with _lock:
        principal = _remembered.get(token_hash)
    return replace(principal, guard=Guard(_token_is_valid, _valid(token_hash))) if principal else None


_COLUMNS = ("id", "name", "read_only", "tenant_id")


def _valid(token_hash: str) -> dict[str, Any]:
    return {"token_hash": token_hash, "token_used_at": timezone.now()}


def _valid_tokens() -> QuerySet[AccessToken]:
    """The token of ``token_hash``, if it is valid at ``token_used_at``: names that no guarded statement has."""
    used_at = Param("token_used_at", DateTimeField())
    return AccessToken.objects.filter(token_hash=Param("token_hash"), expires_at__gt=used_at)


def _token_is_valid() -> Exists:
    return Exists(_valid_tokens())


@lru_cache
def _api_account() -> Statement[list[Any]]:
    return Statement(_valid_tokens(), *(f"api_account__{column}" for column in (*_COLUMNS, "expires_at")))


def principal_from_session(request: HttpRequest) -> Principal | None:
    """The person signed in to the web UI, with their roles, while they are active and may act."""
    user = request.user
    principal = principal_of_user(user) if isinstance(user, User) and user.is_active else None
    return None if principal is None or lacks_second_factor(principal) else principal
