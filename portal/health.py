"""Can this process serve? Asked by load balancers, by address and without signing in."""

from __future__ import annotations

import logging

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

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


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
