"""The secrets that the first start makes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from portal.keys import write_once
from tests.log_lines import events


def make_keys(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "ENV_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "-m", "portal.keys"],
        cwd=settings.ROOT,
        env={**base, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_start_makes_both_secrets_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"

    done = make_keys(folder)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "secret_key": 0o600,
        "field_encryption_keys": 0o600,
    }
    assert len((folder / "secret_key").read_text()) >= 50
    Fernet((folder / "field_encryption_keys").read_text())  # raises for what is no key


def test_later_starts_keep_them(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}

    make_keys(tmp_path)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_secrets_of_the_environment_are_not_made_again(tmp_path: Path) -> None:
    make_keys(tmp_path, SECRET_KEY="from the environment", FIELD_ENCRYPTION_KEYS="from the environment")

    assert list(tmp_path.iterdir()) == []


def test_of_many_that_write_at_once_one_wins_and_none_sees_half(tmp_path: Path) -> None:
    file = tmp_path / "secret_key"
    contents = [str(number) * 1000 for number in range(8)]

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(lambda content: write_once(file, content), contents))

    assert file.read_text() in contents
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = make_keys(tmp_path / "file" / "data")

    assert done.returncode == 1
    folder = tmp_path / "file" / "data"
    assert events(done.stderr) == [
        f"portal cannot start: DATA_DIR must be a folder that can be written; {folder}: Not a directory."
    ]


@pytest.mark.parametrize("existing", ["first", ""])
def test_an_existing_file_is_never_overwritten(tmp_path: Path, existing: str) -> None:
    file = tmp_path / "secret_key"
    file.write_text(existing)

    write_once(file, "second")

    assert file.read_text() == existing
