"""The portal's settings with the middleware of ``startproject``, and a view of its own."""

from portal.settings import *  # noqa: F403  # all of them

ROOT_URLCONF = "bench.peers.graphene_service.app"
TEMPLATES = []
INSTALLED_APPS = [
    "accounts",
    "pixels",
    "filters",
    "events",
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
