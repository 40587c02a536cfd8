"""The pages of the host's settings."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from accounts.permissions import Action
from accounts.views import activity, api_accounts, host, people, rescue
from accounts.views.people import at_host

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="host:settings")),
    path("host/", host.host_settings, name="settings"),
    path("host/name/", host.rename, name="rename"),
    path("users/", at_host(people.people, Action.VIEW_HOST), name="users"),
    path("users/invite/", at_host(people.invite), name="invite"),
    path("users/<uuid:user_id>/", at_host(people.person), name="person"),
    path("users/<uuid:user_id>/link/", at_host(people.invitation_link), name="invitation_link"),
    path("users/<uuid:user_id>/password/", at_host(people.password_reset), name="password_reset"),
    path("users/<uuid:user_id>/revoke/", at_host(people.revoke), name="revoke"),
    path("users/former/", rescue.former, name="former"),
    path("people/<uuid:user_id>/forget/", rescue.forget, name="forget"),
    path("people/<uuid:user_id>/vouch/", rescue.vouch, name="vouch"),
    path("people/<uuid:user_id>/second-factors/", rescue.second_factors, name="second_factors"),
    path("activity/", activity.host_activity, name="activity"),
    path("api-accounts/", api_accounts.api_accounts, name="api_accounts"),
    path("api-accounts/add/", api_accounts.add_api_account, name="add_api_account"),
    path("api-accounts/delete/", api_accounts.remove_api_account, name="remove_api_account"),
    path("api-accounts/<slug:api_account>/scope/", api_accounts.api_account, name="api_account"),
    path("api-accounts/<slug:api_account>/secret/", api_accounts.renew_secret, name="renew_secret"),
    path("mail/", host.mail, name="mail"),
]
