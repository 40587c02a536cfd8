"""Pages are in the language of whoever is signed in, whichever browser they use."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from accounts.languages import is_spoken
from accounts.models import User
from accounts.see_as import is_seeing_as


def speak_own_language(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: show pages in the person's own language.

    LocaleMiddleware before it has chosen the browser's. That stays for strangers, for people who have no language yet,
    and for whoever sees as somebody else.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and is_spoken(user.language) and not is_seeing_as(request):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language  # as LocaleMiddleware does
        return get_response(request)

    return middleware
