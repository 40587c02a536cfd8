"""Can this process serve? Asked by load balancers, by address and without signing in."""

from __future__ import annotations

import json
import logging

from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from common.http import Request, Response
from common.postgresql import close_if_cut_off
from portal import shared

logger = logging.getLogger(__name__)

HEALTH_PATH = "/healthz"
#: Where the reference has it.
REFERENCE_PATH = "/hub/health/"
#: Is this process there at all? Who restarts those that do not answer asks here, and not whether the database does.
ALIVE_PATH = "/livez"

_is_ready = False


class Unhealthy(Exception):
    """The reason why this process cannot serve, in words that anybody may read."""


def check() -> None:
    """Raise Unhealthy unless the database answers, and all is there that this process needs.

    What it needs is asked until it is there once: a process serves the code and the keys that it started with.
    """
    global _is_ready  # noqa: PLW0603
    try:
        if not _is_ready:
            _require_all()
        _is_ready = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("The database does not answer.", exc_info=True)
        raise Unhealthy("database does not answer") from error


def check_database() -> None:
    """Raise Unhealthy unless the database answers, and has this version's tables: all that a command needs."""
    try:
        _require_migrations()
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


def answer_alive(request: Request) -> Response | None:
    """Answer who restarts processes that are stuck; None for other paths and methods, of which Django tells."""
    if request.path != ALIVE_PATH or request.method not in ("GET", "HEAD"):
        return None
    return _as_json(200, {"status": "ok"})


def _as_json(status: int, body: dict[str, str]) -> Response:
    return Response(status, [("Content-Type", "application/json; charset=utf-8")], json.dumps(body).encode())


def _require_all() -> None:
    _require_migrations()
    try:
        shared.check()
    except shared.NotShared as reason:
        logger.error("This process must not work: %s", reason)
        raise Unhealthy("keys or settings are not those of the instance: the log tells which") from reason
    # As it was when the process started: it does not look again.
    if getattr(staticfiles_storage, "manifest_hash", None) == "":
        raise Unhealthy("static files are not collected")


def _require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Unhealthy("migrations are not applied")
