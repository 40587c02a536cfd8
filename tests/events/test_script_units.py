"""The script's parts that need no browser, in the runner of Node: the stories are in pixel/tests/. And its check."""

from __future__ import annotations

import json
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


#: By what is named, what is said of it. Safari 16 is the oldest that the script is made for, and Firefox 107.
MISSING = {
    "URL.canParse('x')": "api.URL.canParse_static is missing in chrome 107",
    "navigator.userActivation": "api.Navigator.userActivation is missing in firefox 107",
    "/(?<=a)b/": "lookbehind_assertion is missing in safari 16",
    "fetch('x', { priority: 'low' })": "MDN's data do not know RequestInit.priority",
    "(({ userActivation }: Navigator) => userActivation)(navigator)": "api.Navigator.userActivation is missing in",
}


def test_what_older_browsers_lack_is_found_in_a_script(tmp_path: Path) -> None:
    """As `make check` looks for it in the script that visitors get."""
    (tmp_path / "tsconfig.json").write_text(json.dumps({"extends": str(PIXEL / "tsconfig.json"), "include": ["."]}))
    for number, code in enumerate([*MISSING, "location.href", "[1].map(String)", "document.cookie"]):
        (tmp_path / f"file{number}.ts").write_text(f"export const it = {code};\n")
    command = [str(NODE), str(PIXEL / "checks" / "browsers.mts"), str(tmp_path / "tsconfig.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert [said for said in MISSING.values() if said not in done.stderr] == []
    assert {line.rpartition("file")[2][0] for line in done.stderr.splitlines() if "file" in line} == set("01234")
