"""The host's admins look at the portal as a person of an account sees it, and change nothing meanwhile.

django-hijack changes who is signed in; its history in the session tells that somebody else looks. Whatever is changed
is changed under one's own name: the audit log stays true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from hijack.views import AcquireUserView, ReleaseUserView

from accounts.audit import record
from accounts.models import Membership, RoleLevel, Tenant, User
from accounts.principals import Principal, principal_of_user

#: Where hijack keeps whose session it is.
HISTORY = "hijack_history"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def may_see_as(*, hijacker: User, hijacked: User) -> bool:
    """Host admins may see as people all of whose accounts are open to the host; as nobody of the host."""
    principal = principal_of_user(hijacker)
    if principal.host_level is not RoleLevel.ADMIN or not hijacked.is_active:
        return False
    places = Membership.objects.filter(user=hijacked, accepted_at__isnull=False)
    closed = places.exclude(tenant__in=Tenant.objects.open_to(principal))
    return places.exists() and not closed.exists()


def look_only(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: whoever sees as somebody else posts nothing, but that they are done, or in which language."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in _SAFE and is_seeing_as(request) and request.path not in _open_paths():
            raise PermissionDenied(_("You see this as somebody else, and can change nothing. End that first."))
        return get_response(request)

    return middleware


def is_seeing_as(request: HttpRequest) -> bool:
    """Does somebody else look? Requests without a session are not asked for one."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and bool(request.session.get(HISTORY))


def _open_paths() -> tuple[str, ...]:
    return reverse("hijack:release"), reverse("set_language")


class SeeAs(AcquireUserView):  # type: ignore[misc]  # hijack has no types
    """Begin."""

    success_url = settings.LOGIN_REDIRECT_URL

    def get_object(self, queryset: object = None) -> Any:
        try:
            return super().get_object(queryset)
        except ValidationError as error:  # no UUID
            raise Http404 from error

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        principal, person = principal_of_user(request.user), self.get_object()  # type: ignore[arg-type]
        _record(principal, "start seeing as", person)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


class EndSeeingAs(ReleaseUserView):  # type: ignore[misc]
    """End; back to where people are looked after."""

    success_url = "admin:index"

    def handle_no_permission(self) -> HttpResponse:
        if not self.request.user.is_authenticated:
            raise PermissionDenied
        return render(self.request, "403.html", {"reason": _("You see this as yourself already.")}, status=403)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        response: HttpResponse = super().post(request, *args, **kwargs)
        _record(principal_of_user(request.user), "end seeing as", person)  # type: ignore[arg-type]
        return response


def _record(principal: Principal, act: str, person: Any) -> None:
    """In the log of every account that was looked into."""
    for membership in Membership.objects.filter(user=person, accepted_at__isnull=False).select_related("tenant"):
        record(principal, act, person, tenant=membership.tenant)
