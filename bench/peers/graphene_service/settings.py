"""The portal's settings with the middleware of ``startproject``, and a view of its own."""

from pathlib import Path

from portal.settings import *  # noqa: F403  # all of them
from portal.settings import INSTALLED_APPS as _ALL

_ROOT = Path(__file__).resolve().parents[3]

ROOT_URLCONF = "bench.peers.graphene_service.app"
TEMPLATES = []
INSTALLED_APPS = [
    *(app for app in _ALL if (_ROOT / app).is_dir() and app != "portal"),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "graphene_django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
