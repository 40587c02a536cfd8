"""Run the suite's core on the oldest and the newest Python that the README promises, as far as the machine has them.

Each has a virtual environment of its own, below ``.venv/pythons``. Arguments go to pytest. ``TEST_PYTHONS`` names
further interpreters by their paths, separated by colons, as ``PATH`` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404  # the commands are ours
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMISED = ("3.11", "3.12", "3.13", "3.14")
#: What a new Python breaks first: the server and its threads, the worker, the database, what is generated or compiled.
CORE = [
    "tests/portal/test_lending.py",
    "tests/portal/test_serve.py",
    "tests/portal/test_run.py",
    "tests/portal/test_statements.py",
    "tests/portal/test_health.py",
    "tests/portal/test_logs.py",
    "tests/portal/graphql",
    "tests/events/test_hashing.py",
    "tests/events/test_intake.py",
    "tests/events/test_publishing.py",
    "tests/events/test_tasks.py",
    "tests/accounts/test_token_endpoint.py",
    "tests/slow/test_idle_threads.py",
]


def find_pythons() -> dict[str, str]:
    """The interpreters that run here, by version: an installed command may be a shim that runs nothing."""
    found: dict[str, str] = {}
    for path in _candidates():
        version = _version(path)
        if version in PROMISED and version not in found:
            found[version] = path
    return dict(sorted(found.items(), key=lambda each: PROMISED.index(each[0])))


def _candidates() -> list[str]:
    named = [path for path in os.environ.get("TEST_PYTHONS", "").split(":") if path]
    on_path = [
        candidate
        for version in PROMISED
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if (candidate := shutil.which(f"python{version}", path=folder))
    ]
    by_pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [*named, sys.executable, *on_path, *(str(path) for path in sorted(by_pyenv.glob("*/bin/python")))]


def _version(python: str) -> str | None:
    code = "import sys, sqlite3, ssl, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603  # nosec B603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def environment(version: str, python: str) -> Path:
    """The Python of a virtual environment with the packages of the tests, made anew when these have changed."""
    folder = ROOT / ".venv" / "pythons" / version
    stamp = folder / "installed"
    pins = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
    ours = folder / "bin" / "python"
    if not stamp.exists() or any(stamp.stat().st_mtime < file.stat().st_mtime for file in pins):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)  # noqa: S603  # nosec B603
        install = [str(ours), "-m", "pip", "install", "--quiet", "-r", str(pins[0]), "-r", str(pins[1])]
        subprocess.run(install, check=True)  # noqa: S603  # nosec B603
        stamp.touch()
    return ours


def run_core(version: str, python: str) -> bool:
    """Run the core on SQLite, which is the database that comes with Python; is all well?"""
    print(f"\n=== Python {version}", flush=True)
    # This environment is one already: its own packages are those that `make test` has.
    ours = Path(sys.executable) if version == _version(sys.executable) else environment(version, python)
    command = [str(ours), "-m", "pytest", "-q", "-n", "auto", "-m", "slow or not slow", *CORE, *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": ""}, check=False).returncode == 0  # noqa: S603  # nosec B603


def main() -> int:
    """0 where all is well on the oldest and the newest."""
    found = find_pythons()
    chosen = dict.fromkeys([next(iter(found)), next(reversed(found))])
    failed = [version for version in chosen if not run_core(version, found[version])]
    print(f"\nThe core ran on Python {' and '.join(chosen)}.")
    if missing := [version for version in (PROMISED[0], PROMISED[-1]) if version not in chosen]:
        print(f"Not on Python {' and '.join(missing)}, which is not on this machine.")
    if failed:
        print(f"Failed on: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
