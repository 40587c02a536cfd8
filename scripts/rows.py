"""Write down the rows that an upgrade must keep; with ``--drain``, work off first what waits, as a worker does.

Run in the folder of a version, for its database: ``python /path/to/scripts/rows.py OUT [--drain]``. Events go to a
sandbox in this process, and OUT tells how many it got. ``scripts/kept.py`` compares what is written.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: Counters, dead letters, what waits, and what was found, of pixels, gateway sources and their destinations: by these
#: names in every version that has them.
TABLES = (
    *("events_counter", "events_deadletter", "events_outboxrow", "events_lane"),
    *("events_finding", "events_idfinding"),
    *("events_sourcecounter", "events_sourcerow", "events_sourcelane"),
    *("events_sourcefinding", "events_sourceidfinding"),
    *("events_destinationcounter", "events_destinationletter", "events_destinationrow"),
    *("events_destinationcursor", "events_destinationlane"),
)
#: A queue that does not end is told, not waited for.
_MOST_TURNS = 1_000


def main() -> None:
    """Needs the version's environment, as manage.py does."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django  # after the path and the environment

    django.setup()
    out, drains = Path(sys.argv[1]), "--drain" in sys.argv
    published = _drain() if drains else 0
    out.write_text(json.dumps({"published": published, "tables": {table: _rows(table) for table in TABLES}}))


def _drain() -> int:
    """Have workers' tasks do all that can be done; how many events the sandbox got."""
    from django.conf import settings

    from events.sandbox.app import Sandbox
    from events.sandbox.server import serve

    sandbox = Sandbox()
    with serve(sandbox) as settings.GRAPH_API_URL:
        for _ in range(_MOST_TURNS):
            if not (_drain_pixels() or _drain_gateway()):
                return sandbox.received_count
    sys.exit("What waits does not get less.")


def _drain_pixels() -> bool:
    """Was there something to do?"""
    from events.delivery import lanes, publishing

    waiting = lanes.waiting_pixels()
    for pixel_pk in waiting:
        publishing.drain(pixel_pk)
    return bool(waiting)


def _drain_gateway() -> bool:
    """The same of sources and destinations, where the version has them."""
    if find_spec("events.gateway") is None:
        return False
    from events.gateway import delivering, lanes, taking_in

    sources = taking_in.sources_with_news()
    for source_pk in sources:
        taking_in.take_in(source_pk)
    waiting = lanes.waiting_destinations()
    for destination_pk in waiting:
        delivering.deliver(destination_pk)
    return bool(sources or waiting)


def _rows(table: str) -> list[dict[str, Any]]:
    from django.db import connection

    if table not in connection.introspection.table_names():
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608  # nosec B608  # our names
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor]


def _plain(value: Any) -> Any:
    """Numbers and nulls as they are, everything else as text; of bytes a hash, since they may be of people."""
    if isinstance(value, bytes | memoryview):
        return sha256(value).hexdigest()
    return int(value) if isinstance(value, bool | int) else value if value is None else str(value)


if __name__ == "__main__":
    main()
