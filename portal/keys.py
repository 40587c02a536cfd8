"""The secrets that the settings need, made once into the data folder: ``python -m portal.keys``.

Apart from Django, which cannot start without them.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from common import env


class KeyVariables(env.Variables):
    """Where the secrets are kept."""

    DATA_DIR: env.Folder = env.default(str(env.ROOT / "var"))


DATA_DIR = KeyVariables().DATA_DIR
SECRET_KEY_FILE = DATA_DIR / "secret_key"
FIELD_ENCRYPTION_KEYS_FILE = DATA_DIR / "field_encryption_keys"


def write_once(file: Path, content: str) -> None:
    """Write a file that only this user can read, unless it is there already.

    Written whole under another name and then linked, which fails where the name is taken: of two processes that start
    at once one wins, and nobody reads half a key.
    """
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()


def main() -> None:
    """Make the data folder, and the secrets that neither the environment nor the folder holds."""
    try:
        DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not env.is_set("SECRET_KEY") and not SECRET_KEY_FILE.exists():
            write_once(SECRET_KEY_FILE, secrets.token_urlsafe(50))
        if not env.is_set("FIELD_ENCRYPTION_KEYS") and not FIELD_ENCRYPTION_KEYS_FILE.exists():
            write_once(FIELD_ENCRYPTION_KEYS_FILE, Fernet.generate_key().decode())
    except OSError as error:
        env.refuse_folder("DATA_DIR", error)


if __name__ == "__main__":
    main()
