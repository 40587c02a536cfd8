"""The page that an invitation's link opens."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.sign_in import NewPasswordForm
from accounts.models import Invitation, Membership, User
from accounts.services.invitations import accept_invitation, find_invitation
from accounts.web import add_service_error, sentence
from common.errors import InvalidInput, NotAuthorized, NotFound


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def verify_invitation(request: HttpRequest) -> HttpResponse:
    """Show what the link offers and accept it: a new person chooses a password, others must be signed in."""
    token, email = request.GET.get("token", ""), request.GET.get("email", "")
    try:
        invitation = find_invitation(token=token, email=email)
        return _accept(request, invitation, token) if request.method == "POST" else _offer(request, invitation)
    except NotFound as error:
        return render(request, "accounts/invitation_refused.html", {"reason": sentence(error)}, status=404)


def _signed_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _offer(request: HttpRequest, invitation: Invitation, form: NewPasswordForm | None = None) -> HttpResponse:
    membership = invitation.membership
    is_new = membership.user.status == User.Status.PENDING
    context = {
        "membership": membership,
        "form": (form or NewPasswordForm()) if is_new else None,
        "must_sign_in": not is_new and _signed_in(request) != membership.user,
    }
    return render(request, "accounts/invitation.html", context, status=400 if form else 200)


def _accept(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    user = invitation.membership.user
    is_new = user.status == User.Status.PENDING
    form = NewPasswordForm(request.POST)
    if is_new and not form.is_valid():
        return _offer(request, invitation, form)
    if not is_new and _signed_in(request) != user:
        return _offer(request, invitation)
    password = form.cleaned_data["password"] if is_new else None
    try:
        membership = accept_invitation(token=token, email=user.email, password=password, signed_in=_signed_in(request))
    except InvalidInput as error:
        add_service_error(form, error)
        return _offer(request, invitation, form)
    except NotAuthorized:  # another link of theirs was opened at this moment: they have a password now
        return _offer(request, find_invitation(token=token, email=user.email))
    return _welcome(request, membership, is_new=is_new)


def _welcome(request: HttpRequest, membership: Membership, *, is_new: bool) -> HttpResponse:
    """Land in the account, or among the host's accounts."""
    messages.success(request, _("Welcome! You are signed in as %(email)s.") % {"email": membership.user.email})
    place = settings.LOGIN_REDIRECT_URL
    if membership.tenant_id is not None:
        place = reverse("account_overview", query={"tenant": membership.tenant_id})
    return perform_login(request, membership.user, redirect_url=place) if is_new else redirect(place)
