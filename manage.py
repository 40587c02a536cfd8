#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError


def main() -> None:
    """Run the command; where the database takes no connection, say so in a sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        from common.postgresql.base import NoConnectionError  # here: SQLite needs nothing of it

        if not isinstance(error.__cause__, NoConnectionError):
            raise
        sys.exit("The database that DATABASE_URL names takes no connection. The lines of the log with it say why.")


if __name__ == "__main__":
    main()
