"""Chromium: which one there is, and how it is started."""

from __future__ import annotations

import os
import shutil

#: It asks nobody but the portal for anything, and leaves nothing behind.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
#: What a page does by itself may take so long on a busy machine; who waits for it goes on as soon as it is there.
PATIENCE_MS = 30_000
REQUIRED = os.environ.get("TEST_REQUIRE_CHROMIUM", "") not in ("", "0")
MISSING = "no Chromium: name one with CHROMIUM, or put one on the PATH (on Debian: apt install chromium)"


def find_chromium() -> str | None:
    """The one that CHROMIUM names, else one on the PATH."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)
