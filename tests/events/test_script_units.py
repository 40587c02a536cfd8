"""The script's parts that need no browser, in the runner of Node: the stories are in pixel/tests/."""

from __future__ import annotations

import subprocess
from pathlib import Path

from django.conf import settings

from tests.events.test_hashing_in_browsers import NODE

PIXEL = settings.ROOT / "pixel"
ESBUILD = settings.ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"


def test_the_parts_do_what_their_stories_tell(tmp_path: Path) -> None:
    built = tmp_path / "units.test.mjs"
    stories = PIXEL / "tests" / "units.test.ts"
    bundle = [str(ESBUILD), str(stories), "--bundle", "--platform=node", "--format=esm", f"--outfile={built}"]
    for command in ([str(NODE), *bundle, "--log-level=warning"], [str(NODE), "--test", str(built)]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
