"""Can this process serve? Asked by load balancers, by address and without signing in."""

from __future__ import annotations

import json
import logging

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from common.http import Request, Response
from common.postgresql import close_if_cut_off

logger = logging.getLogger(__name__)

HEALTH_PATH = "/healthz"
#: Where the reference has it.
REFERENCE_PATH = "/hub/health/"

_migrated = False


class Unhealthy(Exception):
    """The reason why this process cannot serve, in words that anybody may read."""


def check() -> None:
    """Raise Unhealthy unless the database answers and its migrations are applied.

    That migrations are applied is asked until it is true once: a process serves the code that it started with.
    """
    global _migrated  # noqa: PLW0603
    try:
        if not _migrated and not _is_migrated():
            raise Unhealthy("migrations are not applied")
        _migrated = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("The database does not answer.", exc_info=True)
        raise Unhealthy("database does not answer") from error


def answer(request: Request) -> Response | None:
    """Answer a load balancer; None for other paths and methods, of which Django tells."""
    if request.path not in (HEALTH_PATH, REFERENCE_PATH.rstrip("/")) or request.method not in ("GET", "HEAD"):
        return None
    close_if_cut_off()
    try:
        check()
    except Unhealthy as reason:
        return _as_json(503, {"status": "unavailable", "reason": str(reason)})
    return _as_json(200, {"status": "ok"})


def _as_json(status: int, body: dict[str, str]) -> Response:
    return Response(status, [("Content-Type", "application/json; charset=utf-8")], json.dumps(body).encode())


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
