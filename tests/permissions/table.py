"""Reads ``graphql.txt``: who calls, what, on which account, and the code that must come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from accounts.models import Tenant, TenantStatus
from tests.base import Caller, Cast, bearer
from tests.factories import ApiAccountFactory

CALLERS = (
    "nobody",
    "expired",
    "outsider",
    "view",
    "manage",
    "admin",
    "host-view",
    "host-manage",
    "host-admin",
    "api",
    "reads",
    "bound",
    "elsewhere",
)


@dataclass(frozen=True)
class Row:
    """One row of the table; a caller's code is None where the caller is allowed."""

    variant: str
    account: str
    codes: dict[str, int | None]

    def __str__(self) -> str:
        return f"{self.variant}-{self.account}"

    @property
    def operation(self) -> str:
        """The operation's name in the schema."""
        return self.variant.partition(":")[0]


def read_table() -> list[Row]:
    """Every row."""
    lines = (Path(__file__).parent / "graphql.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [
        Row(variant, account, {caller: _code(cell) for caller, cell in zip(CALLERS, cells, strict=True)})
        for variant, account, *cells in rows
    ]


def _code(cell: str) -> int | None:
    return None if cell == "ok" else int(cell)


def account_of(row: Row, cast: Cast) -> Tenant:
    """The account that the row is about, in the state that it names."""
    account = cast.books if row.account == "own" else cast.shoes
    if row.account == "deactivated":
        account.status = TenantStatus.DEACTIVATED
        account.save(update_fields=["status"])
    return account


def callers_of(row: Row, cast: Cast) -> dict[str, Caller]:
    """Who calls: the account's own people are those of Books where the row is about Books."""
    own = row.account == "own"
    return {
        "nobody": None,
        "expired": bearer(cast.robot, lifetime=-timedelta(seconds=1)),
        "outsider": cast.olaf,
        "view": cast.bibi if own else cast.vic,
        "manage": cast.bruno if own else cast.max,
        "admin": cast.bea if own else cast.ada,
        "host-view": cast.vera,
        "host-manage": cast.milo,
        "host-admin": cast.hanna,
        "api": cast.robot,
        "reads": ApiAccountFactory.create(name="Reader", read_only=True),
        "bound": ApiAccountFactory.create(name="Bound", tenant=cast.books if own else cast.shoes),
        "elsewhere": ApiAccountFactory.create(name="Elsewhere", tenant=cast.other),
    }
