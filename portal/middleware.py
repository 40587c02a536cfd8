"""Middleware of the web pages."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.second_factors import lacks_second_factor
from portal.web import principal_of_request

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: Where pages are that wait for the second factor; /auth/ has those on which it is set up. GraphQL asks by itself.
_WAITING = ("/hub/", "/admin/", "/see-as/")


def second_factor_first(get_response: GetResponse) -> GetResponse:
    """Send the host's people to set up a second factor, where REQUIRE_MFA_FOR_HOST asks for one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(_WAITING) or request.path.endswith("/graphql/"):
            return get_response(request)
        if not isinstance(request.user, User) or not lacks_second_factor(principal_of_request(request)):
            return get_response(request)
        if request.method != "GET":
            return HttpResponse("Set up a second factor first.", status=403, content_type="text/plain")
        messages.warning(request, _("Set up a second factor first: your host asks for one."))
        return redirect("mfa_index")

    return middleware
