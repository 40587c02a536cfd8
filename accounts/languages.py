"""The language in which somebody reads pages and mails."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation

from common.errors import InvalidInput


def is_spoken(language: str) -> bool:
    """Does the portal speak it?"""
    return language in dict(settings.LANGUAGES)


def clean_language(field: str, value: str) -> str:
    """Return the language's code, if the portal speaks it."""
    if not is_spoken(value):
        raise InvalidInput(field, "must be one of {names}.", names=", ".join(dict(settings.LANGUAGES)))
    return value


def language_for(own: str, otherwise: str | None = None) -> str:
    """The language to write to somebody in: their own. Where none is known, ``otherwise``, or that of whoever acts."""
    return own if is_spoken(own) else otherwise or translation.get_language() or settings.LANGUAGE_CODE
