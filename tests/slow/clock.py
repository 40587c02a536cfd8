"""A worker whose clock can be set: ``python -m tests.slow.clock FILE worker …`` runs ``celery worker …``.

Its clock differs from the machine's by the seconds that FILE says, in the scheduler's process as well. As in a machine
whose clock is set, waiting takes as long as ever.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from celery.__main__ import main


def follow(file: Path) -> None:
    """Set the clock as the file says, from now on."""
    clock = time_machine.travel(datetime.now(UTC), tick=True).start()

    def set_clock() -> None:
        offset = 0.0
        while True:
            wanted = float(file.read_text() or offset)
            if wanted != offset:
                clock.shift(wanted - offset)
                offset = wanted
            time.sleep(0.1)

    def start() -> None:
        threading.Thread(target=set_clock, daemon=True).start()

    start()
    os.register_at_fork(after_in_child=start)


if __name__ == "__main__":
    follow(Path(sys.argv.pop(1)))
    main()
