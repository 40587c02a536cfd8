"""Check what deploy/ holds, as far as a machine without a container engine or a cluster can: `make deploy-check`.

Each check runs the tool that is made for its format. Those of Python come from requirements-deploy.txt, others from the
system; tools that are missing are named at the end. With ``DEPLOY_REQUIRE_TOOLS=1`` it is an error that one is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # nosec B404  # the commands are ours
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".venv" / "deploy" / "bin"
#: Where the units of systemd expect the portal's Python.
INSTALLED = "/opt/portal/.venv/bin/python"


class Check(NamedTuple):
    """A command that ends with 0 where all is well, run in a folder of deploy/."""

    folder: str
    command: tuple[str, ...]
    #: The package of Debian's that has the tool.
    package: str = ""
    #: The tool names what it finds, and ends with 0 all the same.
    finds_nothing: bool = False


def main() -> int:
    """Run all checks; 0 where nothing was found."""
    count, failed, missing = 0, 0, set()
    for file in DEPLOY.rglob("*.json"):
        json.loads(file.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for check in _checks(Path(folder)):
            count += 1
            if shutil.which(check.command[0]) is None:
                missing.add(f"{check.command[0]} (Debian's {check.package})")
            elif said := _findings(check):
                failed += 1
                print(" ".join(check.command), said, sep="\n")
    print(f"{count} checks of deploy/, {failed} failed.")
    if missing:
        print(f"Not checked, since they are not here: {', '.join(sorted(missing))}.")
    return 1 if failed or (missing and os.environ.get("DEPLOY_REQUIRE_TOOLS", "") not in ("", "0")) else 0


def _checks(folder: Path) -> Iterator[Check]:
    """All checks, in their order; what one makes for the next is in the folder."""
    yield Check(".", (f"{TOOLS}/hadolint", "Dockerfile"))
    yield Check(".", (f"{TOOLS}/check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"))
    for overlay in sorted((DEPLOY / "kubernetes" / "overlays").iterdir()):
        rendered = f"{folder / overlay.name}.yaml"
        yield Check("kubernetes/overlays", (f"{TOOLS}/kubectl", "kustomize", overlay.name, f"--output={rendered}"))
        yield Check("kubernetes/overlays", (f"{TOOLS}/kubernetes-validate", "--strict", "--quiet", rendered))
    yield Check("systemd", ("systemd-analyze", "verify", *_units(folder)), "systemd", finds_nothing=True)
    yield Check("prometheus", ("promtool", "check", "rules", "alerts.yml"), "prometheus")
    yield Check("prometheus", ("promtool", "check", "config", "--syntax-only", "prometheus.yml"), "prometheus")
    yield Check("prometheus", ("promtool", "test", "rules", "alerts_test.yml"), "prometheus")


def _units(folder: Path) -> list[str]:
    """Copies of the units that run this project's Python: systemd looks whether the program is there."""
    copies = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        copy = folder / unit.name
        copy.write_text(unit.read_text("utf-8").replace(INSTALLED, sys.executable), "utf-8")
        copies.append(str(copy))
    return copies


def _findings(check: Check) -> str:
    """What is wrong; nothing where all is well."""
    done = subprocess.run(check.command, cwd=DEPLOY / check.folder, check=False, capture_output=True, text=True)  # noqa: S603  # nosec B603
    said = done.stdout + done.stderr
    if done.returncode:
        return said or f"ended with {done.returncode}"
    return said if check.finds_nothing else ""


if __name__ == "__main__":
    sys.exit(main())
