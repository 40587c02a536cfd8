"""API accounts and their tokens (contract: "Getting a token")."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItemPerMinute

from accounts.audit import Act, Changes, record
from accounts.models import AccessToken, ApiAccount, User
from accounts.models.api_account import API_ACCOUNT_NAME_PATTERN
from accounts.permissions import Action, find_tenant, require
from accounts.principals import Principal
from accounts.secret_hashes import hash_secret
from common.client_address import shortened
from common.errors import Conflict, InvalidInput, NotFound
from common.rate_limits import RateLimit

#: Whoever finds an open session must not guess its owner's password.
_WRONG_PASSWORDS = RateLimit("password again", RateLimitItemPerMinute(10))
_NAME = re.compile(API_ACCOUNT_NAME_PATTERN)
#: No secret has this hash; compared with where there is no account.
_NO_HASH = "0" * 64


#: For how long the former secret may be good after a rotation, in hours.
MAX_OVERLAP_HOURS = 168
DEFAULT_OVERLAP_HOURS = 24

_SCOPE = {
    "read_only": _("Read only"),
    "tenant_id": _("Only for the account"),
    "expires_at": _("Expires"),
    "previous_secret_until": _("Former secret is good until"),
}
CREATE_API_ACCOUNT = Act("create API account", _("made the API account %(subject)s"), _SCOPE)
UPDATE_API_ACCOUNT = Act("update API account", _("changed what the API account %(subject)s may do"), _SCOPE)
ROTATE_API_ACCOUNT = Act("rotate API account", _("gave the API account %(subject)s a new secret"), _SCOPE)
DELETE_API_ACCOUNT = Act("delete API account", _("deleted the API account %(subject)s"))


class Scope(TypedDict, total=False):
    """What an API account may do, as far as it is given; what is not given stays as it is, at first without bounds."""

    read_only: bool
    #: The one account that it is for; None for all that the host sees.
    tenant_id: str | None
    #: None for never.
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedApiAccount:
    """An API account with its new secret: the one time that anybody sees it."""

    api_account: ApiAccount
    secret: str = field(repr=False)


def create_api_account(
    *, principal: Principal, name: str, password: str | None = None, **scope: Unpack[Scope]
) -> IssuedApiAccount:
    """Make an API account. A person gives their own password again; API accounts and the operator have none.

    Conflict where the name is taken.
    """
    require(principal, Action.EDIT_API_ACCOUNTS)
    if not _NAME.match(name):
        raise InvalidInput("name", "must have 1 to 20 letters and digits, A to Z, a to z and 0 to 9.")
    new = ApiAccount(name=name, created_by=principal.user)
    changes = _set_scope(principal, new, scope)
    _confirm(principal, password)
    secret = secrets.token_urlsafe(32)
    values = {name: getattr(new, name) for name in ("created_by", "read_only", "tenant_id", "expires_at")}
    with transaction.atomic():
        api_account, created = ApiAccount.objects.get_or_create(
            name=name, defaults={"secret_hash": hash_secret(secret), **values}
        )
        if not created:
            raise Conflict("name: an API account has this name already.", field="name")
        record(principal, CREATE_API_ACCOUNT, api_account, changes=changes)
    return IssuedApiAccount(api_account, secret)


@transaction.atomic
def update_api_account(*, principal: Principal, name: str, **scope: Unpack[Scope]) -> ApiAccount:
    """Change what an API account may do. Its tokens end, so that none keeps what it may no more."""
    require(principal, Action.EDIT_API_ACCOUNTS)
    api_account = _locked(name)
    changes = _set_scope(principal, api_account, scope)
    if changes:
        api_account.save(update_fields=list(changes))
        api_account.tokens.all().delete()
        record(principal, UPDATE_API_ACCOUNT, api_account, changes=changes)
    return api_account


def rotate_api_account(
    *,
    principal: Principal,
    name: str,
    password: str | None = None,
    overlap_hours: int = DEFAULT_OVERLAP_HOURS,
) -> IssuedApiAccount:
    """Give an API account a new secret. The one before is good for ``overlap_hours`` more, and so are its tokens.

    Two secrets are good at most: what is left of an earlier rotation ends. A person gives their own password again.
    """
    require(principal, Action.EDIT_API_ACCOUNTS)
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise InvalidInput("overlapHours", "must be a whole number from 0 to {limit}.", limit=MAX_OVERLAP_HOURS)
    _confirm(principal, password)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        api_account = _locked(name)
        until = timezone.now() + timedelta(hours=overlap_hours)
        api_account.previous_secret_hash, api_account.secret_hash = api_account.secret_hash, hash_secret(secret)
        api_account.previous_secret_until = until
        api_account.save(update_fields=["secret_hash", "previous_secret_hash", "previous_secret_until"])
        api_account.tokens.filter(expires_at__gt=until).update(expires_at=until)
        changes: Changes = {"previous_secret_until": [None, _told(until)]}
        record(principal, ROTATE_API_ACCOUNT, api_account, changes=changes)
    return IssuedApiAccount(api_account, secret)


def _set_scope(principal: Principal, api_account: ApiAccount, scope: Scope) -> Changes:
    """Set what is given, and differs; what it changes, for the audit log."""
    new: dict[str, object] = {}
    if "read_only" in scope:
        new["read_only"] = scope["read_only"]
    if "tenant_id" in scope:
        new["tenant_id"] = tenant_id = scope["tenant_id"] or None
        if tenant_id and find_tenant(principal, tenant_id) is None:
            raise InvalidInput("tenantId", "must be the id of an account.")
    if "expires_at" in scope:
        new["expires_at"] = expires_at = scope["expires_at"]
        if expires_at is not None and expires_at != api_account.expires_at and expires_at <= timezone.now():
            raise InvalidInput("expiresAt", "must be in the future.")
    changes: Changes = {}
    for name, value in new.items():
        before = getattr(api_account, name)
        if before != value:
            changes[name] = [_told(before), _told(value)]
            setattr(api_account, name, value)
    return changes


def _told(value: object) -> object:
    """As the audit log has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "minutes")
    return value


def _locked(name: str) -> ApiAccount:
    """The API account of this name: until the transaction ends, no token of it is issued."""
    found = ApiAccount.objects.select_for_update().filter(name=_possible_name(name)).first()
    if found is None:
        raise NotFound("name: there is no API account of this name.", field="name")
    return found


def _confirm(principal: Principal, password: str | None) -> None:
    """Before the transaction: checking a password takes long, and on SQLite all writers would wait."""
    if principal.user is not None:
        _check_password(principal.user, password or "")


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
    found = _locked(name)
    record(principal, DELETE_API_ACCOUNT, found)
    found.delete()


def check_credentials(*, name: str, secret: str) -> ApiAccount | None:
    """The API account whose secret this is, be it expired.

    An unknown name costs the same query, hash and comparison as a wrong secret: time must not tell which names exist.
    For the same reason the account is loaded afterwards: making a model instance takes long enough to be measured.
    """
    accounts = ApiAccount.objects.filter(name=_possible_name(name))
    hashes = accounts.values_list("secret_hash", "previous_secret_hash").first() or ("", "")
    given = hash_secret(secret)
    matches = [hmac.compare_digest(given, one or _NO_HASH) for one in hashes]
    api_account = accounts.first() if any(matches) else None
    return api_account if api_account and _is_good(api_account, given) else None


def _is_good(api_account: ApiAccount, secret_hash: str) -> bool:
    is_former = api_account.has_two_secrets and secret_hash == api_account.previous_secret_hash
    return is_former or secret_hash == api_account.secret_hash


@transaction.atomic
def store_access_token(*, api_account: ApiAccount, token: str, secret: str = "", address: str = "") -> AccessToken:
    """Keep a new token of the account, got with ``secret`` from ``address``, and drop its expired ones.

    It ends with the account or with the secret, if these end earlier. NotFound where the account was deleted or got
    another secret or end meanwhile.
    """
    now = timezone.now()
    ends = [now + timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS), api_account.expires_at]
    if secret and hash_secret(secret) != api_account.secret_hash:
        ends.append(api_account.previous_secret_until)
    as_it_was = ApiAccount.objects.filter(
        pk=api_account.pk, secret_hash=api_account.secret_hash, expires_at=api_account.expires_at
    )
    # First, since the update locks the row: a delete of the account waits, or has happened.
    if not as_it_was.update(last_used_at=now, last_used_from=shortened(address)):
        raise NotFound("This API account was deleted or changed.")
    AccessToken.objects.filter(api_account=api_account, expires_at__lte=now).delete()
    return AccessToken.objects.create(
        api_account=api_account, token_hash=hash_secret(token), expires_at=min(end for end in ends if end)
    )


def find_access_token(*, api_account: ApiAccount, token: str) -> AccessToken | None:
    """The account's own token, while it is valid."""
    valid = AccessToken.objects.filter(api_account=api_account, expires_at__gt=timezone.now())
    return valid.select_related("api_account").filter(token_hash=hash_secret(token)).first()


def revoke_access_token(token: AccessToken) -> None:
    """End a token. Every request looks its token up, so this holds at once in all processes."""
    token.delete()


def expiring_api_accounts(*, within: timedelta, now: datetime | None = None) -> QuerySet[ApiAccount]:
    """Those whose time is over, or will be ``within`` that time: the first to go first."""
    return ApiAccount.objects.filter(expires_at__lte=(now or timezone.now()) + within).order_by("expires_at", "name")


def _possible_name(name: str) -> str:
    """``name``, or where no account can have it (PostgreSQL refuses NUL, say), the empty one, which none has."""
    return name if _NAME.match(name) else ""
