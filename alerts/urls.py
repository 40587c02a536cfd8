"""The pages of an account's alerts."""

from __future__ import annotations

from django.urls import URLPattern, path

from accounts.permissions import Action
from accounts.views.people import in_account
from alerts.views import incidents, receivers, rules, schedule

_EDIT = Action.EDIT_SETTINGS

app_name = "alerts"
urlpatterns: list[URLPattern] = [
    path("", incidents.of_account, name="incidents"),
    path("rules/", rules.rules, name="rules"),
    path("schedule/", schedule.choose_schedule, name="schedule"),
    path("channels/add/", in_account(receivers.add, _EDIT), name="add_receiver"),
    path("channels/<uuid:receiver_id>/", in_account(receivers.receiver, _EDIT), name="receiver"),
    path("channels/<uuid:receiver_id>/test/", in_account(receivers.try_it, _EDIT), name="test_receiver"),
    path("channels/<uuid:receiver_id>/secret/", in_account(receivers.renew_secret, _EDIT), name="renew_receiver"),
    path("channels/<uuid:receiver_id>/enable/", in_account(receivers.enable, _EDIT), name="enable_receiver"),
    path("channels/<uuid:receiver_id>/remove/", in_account(receivers.remove, _EDIT), name="remove_receiver"),
]
