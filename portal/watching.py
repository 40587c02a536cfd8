"""What must be settled before anything is measured: the settings ask for it."""

from __future__ import annotations

import os
from pathlib import Path

from common import env


def metrics_folder(data: Path) -> Path:
    """The folder that processes measure into, made where it is not there. The library reads its name as it loads."""
    folder = data / "metrics"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        env.refuse_folder("DATA_DIR", error)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return folder
