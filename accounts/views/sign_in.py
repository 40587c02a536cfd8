"""What our sign-in adds to allauth's pages: proof of the address, before there are second factors."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.views import PasswordResetFromKeyView
from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.mail import is_mail_set_up
from accounts.models import User
from accounts.second_factors import must_prove_address
from accounts.services.passwords import NewPasswordTokens
from accounts.services.proof import check_proof, confirm_by_mail, mail_proof, note_proof
from accounts.tokens import MAILED
from accounts.web import HostRequest, sentence, signed_in_page
from common.errors import NotFound


class ChooseNewPassword(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth has no types
    """Behind a link to a new password: the one that was mailed proves the address, too."""

    reset_user: Any

    @transaction.atomic
    def form_valid(self, form: Form) -> HttpResponse:
        # Judged once more while nobody can accept a role for the person, which would end a link that was shown.
        person = User.objects.select_for_update().filter(pk=self.reset_user.pk).first()
        if person is None or not NewPasswordTokens().check_token(person, self.key):
            self.reset_user = None
            refused: HttpResponse = self.render_to_response(self.get_context_data(token_fail=True))
            return refused
        if MAILED.check_token(person, self.key):
            note_proof(person)
        response: HttpResponse = super().form_valid(form)
        return response


def address_proven_first(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page of allauth's on which a second factor is added."""

    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if isinstance(request.user, User) and must_prove_address(request.user):
            messages.warning(request, _("Prove first that this address is yours."))
            return redirect("mfa_index")
        return view(request, *args, **kwargs)

    return page


@require_POST
@signed_in_page
def send_proof(request: HostRequest) -> HttpResponse:
    """Mail the person a link that proves their address."""
    user = _person(request)
    if mail_proof(user=user):
        messages.success(request, _("A link was mailed to %(email)s.") % {"email": user.email})
    elif is_mail_set_up():
        messages.error(request, _("You have had all the links for today. Look for them in your mail."))
    else:
        messages.error(request, _("Mail is not set up: no link was sent."))
    return redirect("mfa_index")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_page
def prove_address(request: HostRequest, key: str) -> HttpResponse:
    """Behind that link: it counts where the person is signed in who asked for it."""
    user = _person(request)
    try:
        if request.method == "POST":
            confirm_by_mail(user=user, key=key)
            messages.success(request, _("It is shown that %(email)s is yours.") % {"email": user.email})
            return redirect("mfa_index")
        check_proof(user=user, key=key)
    except NotFound as error:
        return render(request, "accounts/prove.html", {"reason": sentence(error)}, status=404)
    return render(request, "accounts/prove.html")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  # signed_in_page has seen to it  # nosec B101
    return request.user
