"""Choosing a language, and the page of one's own settings on which it is chosen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from accounts.languages import is_spoken
from accounts.models import User
from accounts.see_as import is_seeing_as
from accounts.services import languages
from accounts.web import HostRequest, is_own_address, page_in_view, signed_in_page


def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Django's own view, which would go on to any address of the host that the request names.

    It keeps the choice for the browser; of whoever is signed in, the choice is kept for every browser and for mails.
    """
    response: HttpResponseBase = set_language(request)
    user, language = request.user, request.POST.get("language", "")
    if isinstance(user, User) and is_spoken(language) and not is_seeing_as(request):
        languages.choose_language(user=user, language=language)
        if request.POST.get("next") == reverse("account_settings"):  # other pages show it by their language alone
            with translation.override(language):
                messages.success(request, _("Saved."))
    if not is_own_address(response.headers.get("Location", "")):
        response.headers["Location"] = page_in_view(request)
    return response


@require_safe
@signed_in_page
def own_settings(request: HostRequest) -> HttpResponse:
    """What the person wants for themselves."""
    return render(request, "accounts/own_settings.html")
