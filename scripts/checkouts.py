"""Earlier versions of the project, each in a folder with packages and assets of its own."""

from __future__ import annotations

import subprocess  # nosec B404  # the commands are ours
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def checkout(commit: str) -> Path:
    """The folder of a commit, ready to run; it is kept below .venv/ for the next time."""
    name = run(["git", "rev-parse", "--short", f"{commit}^{{commit}}"], ROOT).strip()
    tree = ROOT / ".venv" / "releases" / name
    if not tree.exists():
        run(["git", "worktree", "prune"], ROOT)
        run(["git", "worktree", "add", "--quiet", "--detach", str(tree), name], ROOT)
    run(["make", "--silent", "setup", ".venv/installed-dev"], tree)
    return tree


def python_of(tree: Path) -> str:
    """The interpreter with that version's packages."""
    return str(tree / ".venv" / "bin" / "python")


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a command and return what it prints; where it fails, end with what it said."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
