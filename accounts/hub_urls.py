"""The pages of accounts."""

from __future__ import annotations

from django.urls import path

from accounts.permissions import Action
from accounts.views import activity, people, settings, tenants
from accounts.views.people import in_account

app_name = "accounts"
urlpatterns = [
    path("", tenants.account_list, name="list"),
    path("choose/", tenants.choose_account, name="choose"),
    path("add/", tenants.add_account, name="add"),
    path("capig/users/", in_account(people.people, Action.VIEW_DATA), name="users"),
    path("capig/users/invite/", in_account(people.invite), name="invite"),
    path("capig/users/<uuid:user_id>/", in_account(people.person), name="person"),
    path("capig/users/<uuid:user_id>/link/", in_account(people.invitation_link), name="invitation_link"),
    path("capig/users/<uuid:user_id>/password/", in_account(people.password_reset), name="password_reset"),
    path("capig/users/<uuid:user_id>/revoke/", in_account(people.revoke), name="revoke"),
    path("capig/settings/", settings.account_settings, name="settings"),
    path("capig/settings/name/", settings.rename, name="rename"),
    path("capig/settings/time-zone/", settings.choose_time_zone, name="time_zone"),
    path("capig/settings/time-zone/browser/", settings.take_time_zone, name="take_time_zone"),
    path("capig/settings/partner/", settings.partner_access, name="partner"),
    path("capig/settings/status/", settings.switch_status, name="status"),
    path("capig/settings/setup/", settings.complete_setup, name="setup"),
    path("capig/settings/routing/", settings.choose_domain, name="routing"),
    path("capig/settings/routing/check/", settings.check_domain, name="check_routing"),
    path("capig/settings/delete/", settings.delete, name="delete"),
    path("capig/activity/", activity.account_activity, name="activity"),
]
