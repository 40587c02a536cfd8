"""The host's admins look at the portal as a person of an account sees it, and change nothing meanwhile.

django-hijack changes who is signed in; its history in the session tells that somebody else looks. Whatever is changed
is changed under one's own name: the audit log stays true.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from hijack.views import AcquireUserView, ReleaseUserView

from accounts.audit import Act, record_of_person
from accounts.models import Membership, RoleLevel, Tenant, User
from accounts.principals import principal_of_user
from accounts.web import is_own_address, page_in_view

START_SEEING_AS = Act("start seeing as", gettext_lazy("began to see the portal as %(subject)s"))
END_SEEING_AS = Act("end seeing as", gettext_lazy("stopped seeing the portal as %(subject)s"))


#: Where hijack keeps whose session it is.
HISTORY = "hijack_history"
#: Where the session keeps on which page it began.
BEGAN = "see_as_began"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def may_see_as(*, hijacker: User, hijacked: User) -> bool:
    """Host admins may see as people all of whose accounts are open to the host; as nobody of the host."""
    principal = principal_of_user(hijacker)
    if principal.host_level is not RoleLevel.ADMIN or not hijacked.is_active:
        return False
    places = Membership.objects.filter(user=hijacked, accepted_at__isnull=False)
    closed = places.exclude(tenant__in=Tenant.objects.open_to(principal.borders))
    return places.exists() and not closed.exists()


def read_only(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: whoever sees as somebody else posts nothing, but that they are done, or in which language."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_seeing_as(request):
            return get_response(request)
        if request.method not in _SAFE and request.path not in _open_paths():
            raise PermissionDenied(_("You see this as somebody else, and can change nothing. End that first."))
        response = get_response(request)
        if isinstance(response, HttpResponse) and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = _without_forms(response.content.decode(response.charset))
        return response

    return middleware


#: A form that posts, and what is in it; forms have no forms in them.
_FORM = re.compile(r"(<form\b[^>]*\bmethod=[\"']?post\b[^>]*>)(.*?)(</form>)", re.IGNORECASE | re.DOTALL)
_ACTION = re.compile(r"\baction=[\"']?([^\"' >]*)", re.IGNORECASE)


def _without_forms(page: str) -> str:
    """The page with every form disabled that would be refused: whichever page it is on, none is forgotten."""
    reason = escape(_("You see this as somebody else, and can change nothing."))

    def disabled(form: re.Match[str]) -> str:
        start, content, end = form.groups()
        action = _ACTION.search(start)
        if action and action[1] in _open_paths():
            return form[0]
        start = f'{start[:-1]} title="{reason}">'
        return f'{start}<fieldset class="look-only" disabled aria-label="{reason}">{content}</fieldset>{end}'

    return _FORM.sub(disabled, page)


def is_seeing_as(request: HttpRequest) -> bool:
    """Does somebody else look? Requests without a session are not asked for one."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and bool(request.session.get(HISTORY))


def _open_paths() -> tuple[str, ...]:
    return reverse("hijack:release"), reverse("set_language")


class _OwnAddresses:
    """``next`` leads nowhere but here."""

    def get_redirect_url(self) -> str:
        url: str = super().get_redirect_url()  # type: ignore[misc]  # of the class that this is mixed into
        return url if is_own_address(url) else ""


class SeeAs(_OwnAddresses, AcquireUserView):  # type: ignore[misc]  # hijack has no types
    """Begin; the session remembers on which page."""

    success_url = settings.LOGIN_REDIRECT_URL

    def get_object(self, queryset: object = None) -> Any:
        try:
            return super().get_object(queryset)
        except ValidationError as error:  # no UUID
            raise Http404 from error

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        principal, person = principal_of_user(request.user), self.get_object()  # type: ignore[arg-type]
        record_of_person(principal, START_SEEING_AS, person)
        response: HttpResponse = super().post(request, *args, **kwargs)
        request.session[BEGAN] = page_in_view(request)
        return response


class EndSeeingAs(_OwnAddresses, ReleaseUserView):  # type: ignore[misc]
    """End; back to where it began."""

    def handle_no_permission(self) -> HttpResponse:
        if not self.request.user.is_authenticated:
            raise PermissionDenied
        return render(self.request, "403.html", {"reason": _("You see this as yourself already.")}, status=403)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        self.success_url = request.session.get(BEGAN, settings.LOGIN_REDIRECT_URL)
        response: HttpResponse = super().post(request, *args, **kwargs)
        record_of_person(principal_of_user(request.user), END_SEEING_AS, person)  # type: ignore[arg-type]
        return response
