"""The people of an account and those of the host: the same pages in two places."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.people import InviteForm, RoleForm
from accounts.mail import is_mail_set_up
from accounts.models import Membership
from accounts.permissions import Action
from accounts.places import Place
from accounts.reads import members_of
from accounts.services.invitations import ADVERTISER, AGENCY, send_invitation
from accounts.services.passwords import send_password_reset
from accounts.services.people import add_user_with_role, change_role_for_user
from accounts.services.rescue import may_rescue
from accounts.tables import PeopleTable, paged
from accounts.views.pages import form_page
from accounts.web import AccountRequest, HostRequest, View, account_page, host_page, refusals_in

_PERSON_PAGES = ("person", "invitation_link", "password_reset", "revoke")

P = ParamSpec("P")
PlaceView = Callable[Concatenate[HostRequest, Place, P], HttpResponse]


def in_account(view: PlaceView[P], action: Action = Action.EDIT_PEOPLE) -> View[P]:
    """The view for the people of the account in question."""

    @account_page(action)
    @wraps(view)
    def page(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, Place(request.tenant, request.can[Action.EDIT_PEOPLE.name]), *args, **kwargs)

    return page


def at_host(view: PlaceView[P], action: Action = Action.EDIT_HOST_PEOPLE) -> View[P]:
    """The view for the host's people."""

    @host_page(action)
    @wraps(view)
    def page(request: HostRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, Place(None, request.can[Action.EDIT_HOST_PEOPLE.name]), *args, **kwargs)

    return page


@require_safe
def people(request: HostRequest, place: Place) -> HttpResponse:
    """Everybody with a role here."""
    hidden = () if place.may_edit else ("actions",)
    members = members_of(request.principal, place.tenant)
    table = paged(request, PeopleTable(members, place, exclude=hidden))
    context = {"table": table, "place": place}
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HostRequest, place: Place) -> HttpResponse:
    """Invite somebody, and show the link once."""
    form = InviteForm(request.POST or None)
    context: dict[str, Any] = {"place": place}
    if form.is_valid():
        email = form.cleaned_data["email"]
        with refusals_in(form):
            added = add_user_with_role(
                principal=request.principal, email=email, role_name=place.role(form.cleaned_data["level"])
            )
            context |= {"email": email, "link": added.invitation_link, "is_mailed": added.is_mailed}
            return render(request, "accounts/invited.html", context)
    return form_page(request, "accounts/invite.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HostRequest, place: Place, user_id: uuid.UUID) -> HttpResponse:
    """One person: the role, which can be changed, and what else can be done."""
    membership = _membership(request, place, user_id)
    form = RoleForm(request.POST or None, initial={"level": membership.level})
    if form.is_valid():
        with refusals_in(form):
            change_role_for_user(
                principal=request.principal, user_id=str(user_id), role_to_add=place.role(form.cleaned_data["level"])
            )
            messages.success(request, _("The role of %(email)s is changed.") % {"email": membership.user.email})
            return redirect(place.users)
    return _person(request, place, membership, form)


@require_POST
def invitation_link(request: HostRequest, place: Place, user_id: uuid.UUID) -> HttpResponse:
    """Make a new invitation link and show it once."""
    membership = _membership(request, place, user_id)
    issued = send_invitation(
        principal=request.principal,
        email=membership.user.email,
        user_type=ADVERTISER if place.tenant else AGENCY,
        tenant_id=place.tenant_id,
    )
    return _person_with_link(request, place, membership, issued.link, is_mailed=issued.is_mailed)


@require_POST
def password_reset(request: HostRequest, place: Place, user_id: uuid.UUID) -> HttpResponse:
    """Mail the person a link to a new password, and show it once to those to whom the service gives it."""
    membership = _membership(request, place, user_id)
    sent = send_password_reset(principal=request.principal, user_id=str(user_id), tenant_id=place.tenant_id)
    if sent.is_mailed:
        text = _("A link to a new password was sent to %(email)s.") % {"email": membership.user.email}
        messages.success(request, text)
    elif is_mail_set_up():
        messages.warning(request, _("No mail was sent: this address has had its mails for today."))
    else:
        messages.warning(request, _("Mail is not set up: the link was sent to nobody. The operator sets EMAIL_URL."))
    if sent.link is None:
        return redirect(place.address("person", user_id))
    return _person_with_link(request, place, membership, sent.link, is_mailed=sent.is_mailed)


@require_POST
def revoke(request: HostRequest, place: Place, user_id: uuid.UUID) -> HttpResponse:
    """Take the person's role here away."""
    membership = _membership(request, place, user_id)
    change_role_for_user(principal=request.principal, user_id=str(user_id), role_to_revoke=place.role(membership.level))
    messages.success(request, _("%(email)s has no access here any more.") % {"email": membership.user.email})
    return redirect(place.users if request.user != membership.user else "accounts:list")


def _membership(request: HostRequest, place: Place, user_id: uuid.UUID) -> Membership:
    membership = members_of(request.principal, place.tenant).filter(user=user_id).first()
    if membership is None:
        raise Http404
    return membership


def _person(
    request: HostRequest, place: Place, membership: Membership, form: RoleForm, **shown_once: Any
) -> HttpResponse:
    user = membership.user
    context = {
        "place": place,
        "membership": membership,
        "has_second_factor": is_mfa_enabled(user),
        "may_help": may_rescue(request.principal, user),
        **shown_once,
        **{name: place.address(name, membership.user_id) for name in _PERSON_PAGES},
    }
    return form_page(request, "accounts/person.html", form, context)


def _person_with_link(
    request: HostRequest, place: Place, membership: Membership, link: str, *, is_mailed: bool
) -> HttpResponse:
    form = RoleForm(initial={"level": membership.level})
    return _person(request, place, membership, form, link=link, is_mailed=is_mailed)
