"""What is measured while the portal works, for Prometheus: of all processes of a machine together.

Each process adds to files in a folder of its own machine (``PROMETHEUS_MULTIPROC_DIR``, which the settings name where
metrics are asked for); without the folder the numbers stay in its memory. No label names a pixel, account, person or
address: what labels may say is known beforehand, and little.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

#: From a request that was answered from memory to one that waited for Meta: seconds.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_REQUESTS = Histogram(
    "portal_request_seconds",
    "Requests that were answered, with the reading of their bodies, by road and HTTP status.",
    ["road", "status"],
    buckets=SECONDS,
)
_SENDING = Histogram(
    "portal_publish_seconds",
    "Requests with events or alerts to receivers, by road, kind of receiver and class of the answer.",
    ["road", "kind", "answer"],
    buckets=SECONDS,
)
_GRAPHQL = Histogram(
    "portal_graphql_seconds",
    "GraphQL operations that were executed, by their first field and by what executed them.",
    ["operation", "way"],
    buckets=SECONDS,
)
_FALLBACKS = Counter(
    "portal_graphql_fallbacks", "Compiled queries that raised an error, which graphql-core then answered.", ["cause"]
)
_REPLICA = Counter(
    "portal_replica_pages",
    "Pages that might be read from the replica, by where they were, or why they were read from the primary.",
    ["read"],
)
POOL = Gauge(
    "portal_database_connections",
    "Connections to PostgreSQL, and requests that wait for one, of the processes that run.",
    ["state"],
    multiprocess_mode="livesum",
)


@cache
def _request(road: str, status: int) -> Histogram:
    return _REQUESTS.labels(road, str(status))


def note_request(road: str, status: int, seconds: float) -> None:
    """A request was answered. Callers keep to a few roads: each has a series for each status that it answers."""
    _request(road, status).observe(seconds)


def note_sending(road: str, kind: str, answer: str, seconds: float) -> None:
    """A receiver was asked, or was not to be reached. Callers keep to a few roads, kinds and classes of answers."""
    _SENDING.labels(road, kind, answer).observe(seconds)


def note_graphql(operation: str, way: str, seconds: float) -> None:
    """An operation was executed: ``operation`` is a field of the schema, ``way`` is compiled or reference."""
    _GRAPHQL.labels(operation, way).observe(seconds)


def note_fallback(cause: str) -> None:
    """A compiled query raised an exception of this class."""
    _FALLBACKS.labels(cause).inc()


def note_replica(read: str) -> None:
    """A page was read from the replica, or for one of a few reasons from the primary."""
    _REPLICA.labels(read).inc()
