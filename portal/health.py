"""Can this process serve? Asked by load balancers, by address and without signing in."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

HEALTH_PATH = "/healthz"
EVENTS_PREFIX = "/capi/"

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


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def any_host_may_ask(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: load balancers ask by an address, and events come by accounts' own domains (data routing).

    Nobody could list these in ALLOWED_HOSTS. Nothing in the answers depends on the host that was asked for, so the one
    that is always allowed stands in for it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == HEALTH_PATH or request.path_info.startswith(EVENTS_PREFIX):
            try:
                request.get_host()
            except DisallowedHost:
                request.META["HTTP_HOST"] = "localhost"
        return get_response(request)

    return middleware
