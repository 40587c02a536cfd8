"""Fills a database with accounts: ``python -m bench.fill ACCOUNTS [--busy ACCOUNTS] [--minutes N]`` on DATABASE_URL.

A first account, its person and its pixel come by the portal's services; all others are made of these rows in SQL, a
statement for each table. Every account has 10 people and 50 pixels. The ``busy`` ones, evenly spread, received events
on all of their pixels, in each of the last ``minutes``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

import django
from django.db import connection

PEOPLE = 10
PIXELS = 50


def account_id(number: int) -> str:
    """The id of the account of that number; the first is 1."""
    return f"B{number:07d}"


def busy_accounts(accounts: int, busy: int) -> list[str]:
    """The ids of the accounts with events."""
    return [account_id(number) for number in range(1, accounts + 1, accounts // busy)]


def pixel_id(account: int, number: int) -> str:
    """The id of the account's pixel of that number; the first of either is 1."""
    return str(_FIRST_PIXEL + (account - 1) * PIXELS + number)


_FIRST_PIXEL = 7_000_000_000_000
_ACCOUNT_OF = "'B' || lpad(((i - 1) / {} + 1)::text, 7, '0')"
_ACCOUNT = _ACCOUNT_OF.format(1)
_PERSON = "md5('person ' || i)::uuid"

#: Of each table, what differs from the first row; ``i`` counts from 1.
_TENANT = {"id": _ACCOUNT, "name": "'Account ' || lpad(i::text, 7, '0')"}
_USAGE = {
    "tenant_id": _ACCOUNT,
    "total_events_received": "i * 3",
    "total_pixels_with_traffic": "i % 50",
    "publish_error": "i % 10 = 0",
    "refreshed_at": "now()",
}
_USER = {
    "id": _PERSON,
    "email": "'person' || i || '@example.com'",
    "status": "1",
    "default_tenant_id": _ACCOUNT_OF.format(PEOPLE),
}
_MEMBERSHIP = {
    "user_id": _PERSON,
    "tenant_id": _ACCOUNT_OF.format(PEOPLE),
    "level": "CASE WHEN i % 10 < 2 THEN 'admin' WHEN i % 10 < 5 THEN 'manage' ELSE 'view' END",
    "accepted_at": "now()",
}
_PIXEL = {
    "tenant_id": _ACCOUNT_OF.format(PIXELS),
    "pixel_id": f"({_FIRST_PIXEL} + i)::text",
    "name": "'Shop ' || i",
    "access_key": "md5('key ' || i)",
    "event_bridge_active": "i % 7 <> 0",
    "publishing_enabled": "i % 11 <> 0",
    "api_error_code": "CASE WHEN i % 10 = 0 THEN '100.2804003' END",
    "last_received": "now() - i % 1000 * interval '1 second'",
    "last_published": "now() - i % 900 * interval '1 second'",
}


def fill(accounts: int, busy: int, minutes: int) -> None:
    """Fill the database that Django has."""
    tenant, user, membership, pixel = _make_first()
    _multiply("accounts_tenant", f"id = '{tenant}'", _TENANT, accounts)
    _multiply("accounts_usagesnapshot", f"tenant_id = '{tenant}'", _USAGE, accounts)
    _multiply("accounts_user", f"id = '{user}'", _USER, accounts * PEOPLE)
    _multiply("accounts_membership", f"id = {membership}", _MEMBERSHIP, accounts * PEOPLE)
    _multiply("pixels_pixel", f"id = {pixel}", _PIXEL, accounts * PIXELS)
    _count(busy_accounts(accounts, busy), minutes)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _make_first() -> tuple[str, str, int, int]:
    from accounts.models import Membership  # when Django is ready
    from accounts.principals import OPERATOR
    from accounts.services.people import create_user
    from bench.stage import make_pixel

    pixel = make_pixel()
    role = f"advertiser-admin-{pixel.tenant_id}"
    user = create_user(principal=OPERATOR, email="first@example.com", role_name=role, password="a first password").user  # noqa: S106  # of nobody
    return pixel.tenant_id, str(user.pk), Membership.objects.get(user=user).pk, pixel.pk


def _multiply(table: str, first: str, new: Mapping[str, str], times: int) -> None:
    """Add rows like the first one, with the ``new`` values; the database numbers and computes what it does itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = %s AND is_identity = 'NO' AND is_generated = 'NEVER' AND table_schema = 'public'",
            [table],
        )
        values = {name: new.get(name, f"first.{name}") for (name,) in cursor}
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) "  # noqa: S608  # constants
            f"SELECT {', '.join(values.values())} FROM {table} AS first, generate_series(1, {times}) AS i "
            f"WHERE first.{first}"
        )


def _count(busy: list[str], minutes: int) -> None:
    """Count events as the worker does, by minute, hour and day."""
    with connection.cursor() as cursor:
        for span, unit in enumerate(("minute", "hour", "day")):
            cursor.execute(
                f"""
                INSERT INTO events_counter ({_COUNTED}, pixel_id, span, dimension, label, start, received, published)
                SELECT {_NOTHING}, pixel.id, %s, 0, '', date_trunc(%s, now() - i * interval '1 minute', 'UTC'),
                    sum(10), sum(9)
                FROM pixels_pixel AS pixel, generate_series(1, %s) AS i
                WHERE pixel.tenant_id = ANY(%s)
                GROUP BY pixel.id, date_trunc(%s, now() - i * interval '1 minute', 'UTC')
                """,  # noqa: S608  # constants
                [span, unit, minutes, busy, unit],
            )


_OTHERS = (
    "dropped_by_event_filter", "dropped_by_domain_filter", "dropped_receiving_off", "dropped_publishing_off",
    "failed", "expired", "publish_errors",
)  # fmt: skip
_COUNTED, _NOTHING = ", ".join(_OTHERS), ", ".join("0" for _ in _OTHERS)


def fill_database(url: str, accounts: int, *, busy: int, minutes: int = 1) -> None:
    """The same for another database, in a process of its own."""
    command = [sys.executable, "-m", "bench.fill", str(accounts), "--busy", str(busy), "--minutes", str(minutes)]
    subprocess.run(command, check=True, env={**os.environ, "DATABASE_URL": url})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("accounts", type=int)
    parser.add_argument("--busy", type=int, default=10)
    parser.add_argument("--minutes", type=int, default=1)
    given = parser.parse_args()
    django.setup()
    fill(given.accounts, given.busy, given.minutes)
