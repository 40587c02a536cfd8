"""Check what deploy/ holds, with the tools that are on this machine; those that are missing are named at the end.

With ``DEPLOY_REQUIRE_TOOLS=1`` it is an error that one is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # nosec B404  # the commands are ours
import sys
from pathlib import Path
from typing import NamedTuple

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


class Check(NamedTuple):
    """A command that ends with 0 where all is well, run in a folder of deploy/."""

    folder: str
    command: tuple[str, ...]
    #: The package of Debian's that has the tool.
    package: str


CHECKS = (
    Check("prometheus", ("promtool", "check", "rules", "alerts.yml"), "prometheus"),
    Check("prometheus", ("promtool", "check", "config", "--syntax-only", "prometheus.yml"), "prometheus"),
    Check("prometheus", ("promtool", "test", "rules", "alerts_test.yml"), "prometheus"),
)


def main() -> int:
    """Run all checks; 0 where nothing was found."""
    failed, missing = [], set()
    for file in DEPLOY.rglob("*.json"):
        json.loads(file.read_text("utf-8"))
    for check in CHECKS:
        if shutil.which(check.command[0]) is None:
            missing.add(f"{check.command[0]} (Debian's {check.package})")
            continue
        done = subprocess.run(check.command, cwd=DEPLOY / check.folder, check=False, capture_output=True, text=True)  # noqa: S603  # nosec B603
        if done.returncode:
            failed.append(check)
            print(" ".join(check.command), done.stdout, done.stderr, sep="\n")
    print(f"{len(CHECKS)} checks of deploy/, {len(failed)} failed.")
    if missing:
        print(f"Not checked, since they are not here: {', '.join(sorted(missing))}.")
    return 1 if failed or (missing and os.environ.get("DEPLOY_REQUIRE_TOOLS", "") not in ("", "0")) else 0


if __name__ == "__main__":
    sys.exit(main())
