"""What the host's admins do for people of all places: help them in, and forget them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.permissions import Action
from accounts.services.forgetting import forget_person, former_people
from accounts.services.people import visible_people
from accounts.services.rescue import remove_second_factors, vouch_for_address
from accounts.tables import FormerPeopleTable, paged
from accounts.web import HostRequest, host_page, page_in_view


@require_safe
@host_page(Action.EDIT_HOST_PEOPLE)
def former(request: HostRequest) -> HttpResponse:
    """People who have no role left, and are forgotten after a while."""
    table = paged(request, FormerPeopleTable(former_people().order_by("email")))
    context = {"table": table, "days": settings.FORMER_PEOPLE_RETENTION}
    return render(request, "accounts/former.html", context)


@require_POST
@host_page(Action.EDIT_HOST_PEOPLE)
def forget(request: HostRequest, user_id: uuid.UUID) -> HttpResponse:
    """Forget one of them at once."""
    person = _person(request, user_id)
    forget_person(principal=request.principal, user_id=str(user_id))
    messages.success(request, _("%(email)s is forgotten.") % {"email": person.email})
    return redirect("host:former")


@require_POST
@host_page(Action.EDIT_HOST_PEOPLE)
def vouch(request: HostRequest, user_id: uuid.UUID) -> HttpResponse:
    """Say that the person is who they say."""
    text = _("You have confirmed the address %(email)s: its owner can set up a second factor now.")
    return _help(request, user_id, vouch_for_address, text)


@require_POST
@host_page(Action.EDIT_HOST_PEOPLE)
def second_factors(request: HostRequest, user_id: uuid.UUID) -> HttpResponse:
    """Take second factors and passkeys off."""
    text = _("%(email)s signs in with the password alone now, until they set up another second factor.")
    return _help(request, user_id, remove_second_factors, text)


def _help(request: HostRequest, user_id: uuid.UUID, service: Callable[..., User], text: str) -> HttpResponse:
    _person(request, user_id)
    user = service(principal=request.principal, user_id=str(user_id))
    messages.success(request, text % {"email": user.email})
    return redirect(page_in_view(request))


def _person(request: HostRequest, user_id: uuid.UUID) -> User:
    person = visible_people(request.principal).filter(pk=user_id).first()
    if person is None:
        raise Http404
    return person
