"""Incidents in words: what is wrong, what to do, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    RuleName.REFUSED: _Told(
        _("{percent} percent of the events that were sent to {name} of late were refused at once: {refused} events."),
        _("See for which field and rule, and correct the sender."),
    ),
    RuleName.REGISTRATION: _Told(
        _("Meta does not let {name} be registered."),
        _("See on the pixel's page what Meta says, correct it, and register the pixel again."),
    ),
    RuleName.DOMAIN: _Told(
        _("{name} does not lead to {gateway} any more."),
        _("Correct the CNAME record, then check it in the account's settings."),
    ),
    RuleName.API_ACCOUNT: _Told(
        _("From {until} UTC on the API account {name} lets no software in."),
        _("Give it a later end. Delete it if nothing uses it."),
    ),
    RuleName.RECEIVER: _Told(
        _("{name} at {host} has taken no alerts for a day, or says that it is gone. It gets none any more."),
        _("See in its log what it answers, test it, and switch it on again; or remove it."),
    ),
}
#: What is said otherwise of a destination of the gateway.
_OF_DESTINATION: dict[RuleName, _Told] = {
    RuleName.WAITING: _Told(
        _WORDS[RuleName.WAITING].what,
        _("See what the destination answers, correct its settings, or let it be tried again."),
    ),
    RuleName.SUCCESS: _Told(
        _("{name} took {percent} percent of its events of late; {failed} failed."),
        _("See what the destination says of the refused events, correct it or the sender, and send them again."),
    ),
}
#: Where the remedy is; else it is the page of what is wrong.
_PAGES = {
    (RuleName.TOKEN, "pixel"): "pixels:token",
    (RuleName.SUCCESS, "pixel"): "pixels:dead_letters",
    (RuleName.SUCCESS, "destination"): "pipelines:destination_letters",
}
_PAGE_OF_KIND = {
    "pixel": "pixels:detail",
    "source": "pipelines:source",
    "destination": "pipelines:destination",
    "receiver": "alerts:receiver",
}


def describe(incident: Incident, written: Callable[[str], str] = str) -> Words:
    """The incident in the active language; ``written`` makes what people wrote fit for where it is told."""
    rule = RuleName(incident.rule)
    kind, _name = subject_of(incident)
    told = (_OF_DESTINATION.get(rule) if kind == "destination" else None) or _WORDS[rule]
    what = str(told.what)
    return Words(
        str(rule.label), what.format_map(_Facts(_written(incident.facts, written))), str(told.remedy), path_of(incident)
    )


def subject_of(incident: Incident) -> tuple[str, str]:
    """What it is about: the kind, and what its pages call it by."""
    kind, _space, name = incident.subject.partition(" ")
    return kind, id_of(DESTINATION, name) if kind == "destination" else name


def _written(facts: Mapping[str, object], written: Callable[[str], str]) -> dict[str, object]:
    """Figures, moments and the pixel's id stay as they are: somebody may copy them."""
    ours = {facts.get("pixel"), facts.get("until")}
    return {key: written(one) if isinstance(one, str) and one not in ours else one for key, one in facts.items()}


class _Facts(dict[str, object]):
    """What a row of another version does not say stays empty."""

    def __missing__(self, name: str) -> str:
        return ""


def path_of(incident: Incident) -> str:
    """Where somebody can do something about it."""
    kind, name = subject_of(incident)
    if incident.tenant_id is None and kind == "receiver":
        return reverse("host:receiver", args=[name])
    if incident.tenant_id is None:
        return reverse("host:api_accounts" if kind == "api_account" else "host:incidents")
    query = {"tenant": incident.tenant_id}
    page = _PAGES.get((RuleName(incident.rule), kind)) or _PAGE_OF_KIND.get(kind)
    if incident.rule == RuleName.REFUSED:
        path, query = reverse("events:refused"), {**query, "of": name}
    else:
        path = reverse(page, args=[name]) if page else reverse("accounts:settings")
    return f"{path}?{urlencode(query)}"
