"""The host's pages of alerts; the roof puts them beside its settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from accounts.permissions import Action
from accounts.views.people import at_host
from alerts.views import incidents, receivers, rules

_EDIT = Action.EDIT_HOST

urlpatterns: list[URLPattern] = [
    path("alerts/", incidents.of_host, name="incidents"),
    path("alerts/rules/", at_host(rules.host_rules, _EDIT), name="rules"),
    path("alerts/channels/add/", at_host(receivers.add, _EDIT), name="add_receiver"),
    path("alerts/channels/<uuid:receiver_id>/", at_host(receivers.receiver, _EDIT), name="receiver"),
    path("alerts/channels/<uuid:receiver_id>/test/", at_host(receivers.try_it, _EDIT), name="test_receiver"),
    path("alerts/channels/<uuid:receiver_id>/secret/", at_host(receivers.renew_secret, _EDIT), name="renew_receiver"),
    path("alerts/channels/<uuid:receiver_id>/enable/", at_host(receivers.enable, _EDIT), name="enable_receiver"),
    path("alerts/channels/<uuid:receiver_id>/remove/", at_host(receivers.remove, _EDIT), name="remove_receiver"),
]
