"""Addresses for the tests of accounts.web: every page of the portal, and a few that only show what they were given."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import include, path

from accounts.permissions import Action
from accounts.web import AccountRequest, HostRequest, account_page, add_service_error, host_page, signed_in_page
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound


class PixelForm(forms.Form):
    pixel_id = forms.CharField()


@account_page()
def look(request: AccountRequest) -> HttpResponse:
    return HttpResponse(f"{request.tenant.name} {request.can['EDIT_DATA']}")


@account_page(Action.EDIT_PEOPLE)
def edit_people(request: AccountRequest) -> HttpResponse:
    return HttpResponse("done")


@host_page(Action.EDIT_API_ACCOUNTS)
def host_keys(request: HostRequest) -> HttpResponse:
    return HttpResponse("keys")


@signed_in_page
def anybody(request: HostRequest) -> HttpResponse:
    return render(request, "hub.html")


REFUSALS = {
    "input": InvalidInput("pixelId", "must be 1 to 20 digits."),
    "right": NotAuthorized(),
    "missing": NotFound("pixelId: there is no such pixel.", field="pixelId"),
    "conflict": Conflict("email: this person has a role here already.", field="email"),
}


@account_page()
def refuse(request: AccountRequest, what: str) -> HttpResponse:
    raise REFUSALS[what]


@account_page()
def refuse_form(request: AccountRequest, what: str) -> HttpResponse:
    form = PixelForm(request.POST)
    if form.is_valid():
        add_service_error(form, REFUSALS[what])
    return HttpResponse(form.as_p())


@account_page()
def broken(request: AccountRequest) -> HttpResponse:
    raise RuntimeError("secret")


urlpatterns = [
    path("look/", look),
    path("edit-people/", edit_people),
    path("host-keys/", host_keys),
    path("anybody/", anybody),
    path("refuse/<what>/", refuse),
    path("refuse-form/<what>/", refuse_form),
    path("broken/", broken),
    path("", include("portal.urls")),
]
