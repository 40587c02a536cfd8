"""The npm packages of the tests, which package-lock.json names; installed when they are needed for the first time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
#: What npm writes last.
_INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
#: Where `make test-slow` puts Node.js.
_NODE = FOLDER.parent.parent / ".venv" / "build" / "bin"
_ENVIRONMENT = os.environ | {"PATH": f"{_NODE}{os.pathsep}{os.environ.get('PATH', '')}"}


def run_node(*arguments: str, timeout: float = 60, cwd: Path = FOLDER) -> str:
    """Run a script of this folder, or of a package by its path; what it prints."""
    _install()
    command = ["node", *arguments]
    done = subprocess.run(
        command, cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _install() -> None:
    lock = FOLDER / "package-lock.json"
    if not _INSTALLED.exists() or _INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, env=_ENVIRONMENT, check=True, timeout=300)
        _INSTALLED.touch()
