"""Incidents in words: what is wrong, what to do, and where."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from alerts.models import Incident, RuleName
from pipelines.ids import DESTINATION, id_of


class Words(NamedTuple):
    """An incident as pages and notices tell it; ``path`` leads to where the remedy is."""

    title: str
    what: str
    remedy: str
    path: str


class _Told(NamedTuple):
    what: Promise
    remedy: Promise


_WORDS: dict[RuleName, _Told] = {
    RuleName.DISK: _Told(
        _("{percent} percent of the disk are in use; {free_gb} GB are free."),
        _("Free some space, or give the instance a larger disk: without space no event can be stored."),
    ),
    RuleName.QUEUE: _Told(
        _("For {minutes} minutes no worker has looked at what waits."),
        _("See whether the worker runs, and whether it reaches the broker."),
    ),
    RuleName.SCHEDULER: _Told(
        _("For {minutes} minutes nothing was looked at: the scheduler stood still. It runs again."),
        _("See in the log of the worker why it stood still."),
    ),
    RuleName.TOKEN: _Told(
        _("Meta rejects the access token of {name}. Its events wait."),
        _("Make a new token in Events Manager and give it to the pixel: waiting events are then sent."),
    ),
    RuleName.DESTINATION: _Told(
        _("{name} refuses the gateway's requests: {said}. Its events wait."),
        _("Correct the destination's settings or secrets, or let it be tried again."),
    ),
    RuleName.SILENCE: _Told(
        _("{name} receives nothing, where some {expected} events were to be expected in the last {hours} hours."),
        _("See whether the website or the server still sends, and whether the pixel's id and access key are right."),
    ),
    RuleName.WAITING: _Told(
        _("Events of {name} wait for {minutes} minutes."),
        _("See on the pixel's page what they wait for."),
    ),
    RuleName.SUCCESS: _Told(
        _("Meta took {percent} percent of the events of {name} of late; {failed} failed."),
        _("See what Meta says of the refused events, correct the sender, and send them again."),
    ),
    RuleName.REGISTRATION: _Told(
        _("Meta does not let {name} be registered."),
        _("See on the pixel's page what Meta says, correct it, and register the pixel again."),
    ),
    RuleName.DOMAIN: _Told(
        _("{name} does not lead to {gateway} any more."),
        _("Correct the CNAME record, then check it in the account's settings."),
    ),
}
_OF_PIXEL = {RuleName.SUCCESS: "pixels:dead_letters", RuleName.TOKEN: "pixels:token"}


def describe(incident: Incident) -> Words:
    """The incident in the active language."""
    rule = RuleName(incident.rule)
    told = _WORDS[rule]
    what = str(told.what)
    return Words(str(rule.label), what.format_map(_Facts(incident.facts)), str(told.remedy), path_of(incident))


class _Facts(dict[str, object]):
    """What a row of another version does not say stays empty."""

    def __missing__(self, name: str) -> str:
        return ""


def path_of(incident: Incident) -> str:
    """Where somebody can do something about it."""
    if incident.tenant_id is None:
        return reverse("host:incidents")
    kind, _space, name = incident.subject.partition(" ")
    if kind == "pixel":
        path = reverse(_OF_PIXEL.get(RuleName(incident.rule), "pixels:detail"), args=[name])
    elif kind == "destination":
        path = reverse("pipelines:destination", args=[id_of(DESTINATION, name)])
    else:
        path = reverse("accounts:settings")
    return f"{path}?{urlencode({'tenant': incident.tenant_id})}"
