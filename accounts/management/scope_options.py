"""What the commands about API accounts share: the scope as options, and what is printed of an account."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.models import ApiAccount
from accounts.services.api_accounts import Scope

_NEVER = "never"
_ALL = "all"


def add_scope_options(parser: CommandParser) -> None:
    """What an API account may do; what is left out stays as it is."""
    parser.add_argument(
        "--read-only", action=BooleanOptionalAction, default=None, help="it may look at everything and change nothing"
    )
    parser.add_argument("--account", metavar="ID", help=f"only for this account; {_ALL}: for all that the host sees")
    parser.add_argument(
        "--expires",
        type=_moment,
        metavar="WHEN",
        help=f"such as 2027-03-31, the first moment of that day in UTC, or 2027-03-31T18:00+02:00; or {_NEVER}",
    )


def scope_of(options: dict[str, Any]) -> Scope:
    """The scope that the options give."""
    scope: Scope = {}
    if options["read_only"] is not None:
        scope["read_only"] = options["read_only"]
    if options["account"] is not None:
        scope["tenant_id"] = None if options["account"] == _ALL else options["account"]
    if options["expires"] is not None:
        scope["expires_at"] = None if options["expires"] == _NEVER else options["expires"]
    return scope


def described(api_account: ApiAccount) -> dict[str, object]:
    """What there is to know of an API account, but for secrets."""
    return {
        "client_id": api_account.name,
        "read_only": api_account.read_only,
        "account": api_account.tenant_id,
        "expires": _text(api_account.expires_at),
        "former_secret_good_until": _text(api_account.previous_secret_until) if api_account.has_two_secrets else None,
        "last_used": _text(api_account.last_used_at),
        "last_used_from": api_account.last_used_from or None,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _moment(text: str) -> datetime | str:
    if text == _NEVER:
        return text
    try:
        moment = datetime.fromisoformat(text)
        return (moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"must be a day or a moment such as 2027-03-31T18:00Z, or {_NEVER}.") from None
