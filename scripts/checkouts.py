"""Earlier versions of the project, each in a folder with packages and assets of its own."""

from __future__ import annotations

import subprocess  # nosec B404  # the commands are ours
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What an earlier version needs to be asked and measured; to run it, its packages are enough.
WHOLE = ("setup", ".venv/installed-dev")
PACKAGES = (".venv/installed",)
#: While no version has a tag, the previous release is what came before this.
_ROADS = "events/migrations/0008_roads.py"


def previous_release() -> str:
    """The commit of the newest tag before this version's; without tags, the last one before the store knew roads.

    LookupError where this copy of the repository does not go back so far.
    """
    if tag := _git("describe", "--tags", "--abbrev=0", "HEAD^"):
        return tag
    first = _git("log", "--diff-filter=A", "--format=%H", "--", _ROADS).split()[-1:]
    if commit := "".join(_git("rev-parse", "--quiet", "--verify", f"{one}^{{commit}}^") for one in first):
        return commit
    raise LookupError("this copy of the repository does not hold the previous release (git fetch --unshallow --tags)")


def _git(*words: str) -> str:
    """What git prints; nothing where it fails, or is not there."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607  # nosec B603, B607
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()


def checkout(commit: str, targets: tuple[str, ...] = WHOLE) -> Path:
    """The folder of a commit, in which make has made the targets; it is kept below .venv/ for the next time."""
    name = run(["git", "rev-parse", "--short", f"{commit}^{{commit}}"], ROOT).strip()
    tree = ROOT / ".venv" / "releases" / name
    if not tree.exists():
        run(["git", "worktree", "prune"], ROOT)
        run(["git", "worktree", "add", "--quiet", "--detach", str(tree), name], ROOT)
    run(["make", "--silent", *targets], tree)
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
