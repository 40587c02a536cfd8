"""The settings of the tests: the portal's own, read from an environment that is the same on every machine.

DATABASE_URL alone is taken from outside: the suite runs on SQLite without it, and on PostgreSQL with it.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

if "PORTAL_TESTS" not in os.environ:  # pytest-xdist's workers inherit what the first process made
    name = f"portal_tests_{secrets.token_hex(4)}"
    os.environ.update(
        PORTAL_TESTS=name,
        DATA_DIR=str(Path(tempfile.gettempdir()) / name),  # tests/conftest.py makes and removes it
        ENV_FILE=os.devnull,
        SECRET_KEY=secrets.token_urlsafe(50),
        FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
    )

from portal.settings import *  # noqa: F403
from portal.settings import DATA_DIR, DATABASES, STORAGES

# A database for this run alone: another run on the same server would take it away. On SQLite it is a file, as in
# production: in memory, SQLite locks whole tables and knows no WAL.
RUN = os.environ["PORTAL_TESTS"]
DATABASES["default"]["TEST"] = {
    "NAME": DATA_DIR / f"{RUN}.sqlite3" if "sqlite" in DATABASES["default"]["ENGINE"] else RUN
}
# Pages are rendered without collectstatic.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Between a code of an authenticator app and its check, a half minute may end.
MFA_TOTP_TOLERANCE = 1
# Messages stay in this process: what other processes are to learn, tests give them a broker for.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# A mail is there when the act is done.
MAIL_IN_BACKGROUND = False
# Fuzzing sends more than anybody may; tests of the limits set them.
API_RATE_LIMIT = ADDRESS_RATE_LIMIT = PIXEL_RATE_LIMIT = None
BROWSER_ADDRESS_RATE_LIMIT = BROWSER_PIXEL_RATE_LIMIT = None
