"""How the portal is connected to the database of DATABASE_URL, and to the standby of DATABASE_REPLICA_URL."""

from __future__ import annotations

from typing import Any

from portal.variables import PortalVariables


def database(given: PortalVariables) -> dict[str, Any]:
    """The database that everything is written to."""
    if given.DATABASE_URL["ENGINE"].endswith("sqlite3"):
        return _sqlite(given.DATABASE_URL)
    return _postgresql(given.DATABASE_URL, given.DATABASE_POOL_SIZE)


def replica(given: PortalVariables) -> dict[str, Any] | None:
    """The standby that pages are read from. The primary can answer in its place, so nobody waits for it as long."""
    url = given.DATABASE_REPLICA_URL
    return url and _postgresql(url, given.DATABASE_POOL_SIZE, wait=2, connect_timeout=2, tcp_user_timeout=3_000)


def _sqlite(url: dict[str, Any]) -> dict[str, Any]:
    # WAL lets readers go on while one writes. IMMEDIATE takes the write lock when a transaction starts, where SQLite
    # can wait for it; a lock asked for in the middle of one fails at once. FULL: what is committed, and so
    # answered with 202, is on the disk, and survives a power cut; requests of a moment share the wait for it.
    # secure_delete overwrites deleted rows, which SQLite would leave in free pages. The log holds them for a while:
    # journal_size_limit=0 cuts it to nothing each time SQLite starts it again from the beginning.
    options = {
        **url.get("OPTIONS", {}),
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        " PRAGMA secure_delete=ON; PRAGMA journal_size_limit=0;",
    }
    return {**url, "ENGINE": "common.sqlite", "OPTIONS": options}


def _postgresql(
    url: dict[str, Any], pool_size: int, *, wait: int = 3, connect_timeout: int = 5, tcp_user_timeout: int = 15_000
) -> dict[str, Any]:
    """``wait`` and ``connect_timeout`` are seconds, ``tcp_user_timeout`` is milliseconds."""
    options = {
        **url.get("OPTIONS", {}),
        # Each thread can have a connection: who waits longer for one waits for a server that does not answer.
        "pool": {"min_size": 1, "max_size": pool_size, "timeout": wait},
        # What is sent as it is, and not by Django's ORM, is prepared once a connection has seen it a few times.
        "prepare_threshold": 5,
        # A server that vanishes without a word is noticed in seconds: not in a quarter of an hour where something was
        # sent, and not in two hours where its answer is waited for. Of clients that vanish, common/postgresql tells.
        "connect_timeout": connect_timeout,
        "tcp_user_timeout": tcp_user_timeout,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    return {**url, "ENGINE": "common.postgresql", "OPTIONS": options}
