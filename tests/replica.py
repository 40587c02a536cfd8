"""A process whose replica changes."""

from __future__ import annotations

from common.postgresql.base import DatabaseWrapper
from common.postgresql.replica import replica


def forget_replica() -> None:
    """Close its connections; the next page finds the one that the settings name then."""
    replica.cache_clear()
    if pool := DatabaseWrapper._connection_pools.pop("replica", None):  # type: ignore[attr-defined]  # Django's own
        pool.close()
