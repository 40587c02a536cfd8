"""From what a request carries to who acts."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from accounts.hashing import hash_secret
from accounts.models import AccessToken, User
from accounts.principals import Principal, principal_of_api_account, principal_of_user
from accounts.second_factors import lacks_second_factor


def principal_from_bearer(token: str) -> Principal | None:
    """The API account that the token was issued to, while it is valid: one query."""
    access_token = (
        AccessToken.objects.select_related("api_account")
        .filter(token_hash=hash_secret(token), expires_at__gt=timezone.now())
        .first()
    )
    return principal_of_api_account(access_token.api_account) if access_token else None


def principal_from_session(request: HttpRequest) -> Principal | None:
    """The person signed in to the web UI, with their roles, while they are active and may act."""
    user = request.user
    principal = principal_of_user(user) if isinstance(user, User) and user.is_active else None
    return None if principal is None or lacks_second_factor(principal) else principal
