"""The portal's own settings for an instance of the tests, whose pages are rendered without collectstatic."""

from __future__ import annotations

from portal.settings import *  # noqa: F403
from portal.settings import STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
