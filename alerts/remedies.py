"""What the pages of incidents offer: a button where one click is enough, else a link to where the remedy is."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Action, is_allowed
from accounts.principals import Principal
from accounts.views.pages import address
from alerts.models import Incident, RuleName
from alerts.words import Words, describe


class Shown(NamedTuple):
    """An incident on a page; ``act`` is where its button posts to, empty where there is none for this reader."""

    incident: Incident
    words: Words
    link: Promise
    act: str
    button: Promise


class _Act(NamedTuple):
    """One click: the page that it posts to (with the pixel's id, if ``of_pixel``), its name, and the right."""

    view_name: str
    button: Promise
    right: Action
    of_pixel: bool = True


_ACTS = {
    RuleName.WAITING: _Act("pixels:retry", _("Try again now"), Action.EDIT_DATA),
    RuleName.SUCCESS: _Act("pixels:replay", _("Send all again"), Action.EDIT_DATA),
    RuleName.REGISTRATION: _Act("pixels:register", _("Register again"), Action.EDIT_DATA),
    RuleName.DOMAIN: _Act("accounts:check_routing", _("Check the domain"), Action.EDIT_SETTINGS, of_pixel=False),
}
_SEE_PIXEL = _("See the pixel")
_LINKS = {
    RuleName.TOKEN: _("Replace the token"),
    RuleName.DESTINATION: _("See the destination"),
    RuleName.SUCCESS: _("See the refused events"),
    RuleName.DOMAIN: _("See the settings"),
}


def shown(principal: Principal, incident: Incident) -> Shown:
    """The incident, with what this reader may do about it. Its account must be at hand: ``select_related``."""
    rule = RuleName(incident.rule)
    words, link, act = describe(incident), _LINKS.get(rule, _SEE_PIXEL), _ACTS.get(rule)
    if rule is RuleName.TOKEN and not is_allowed(principal, Action.EDIT_DATA, incident.tenant):
        link = _SEE_PIXEL  # whoever may not replace the token
        words = words._replace(path=_address("pixels:detail", incident))
    if act is None or incident.closed_at or not is_allowed(principal, act.right, incident.tenant):
        return Shown(incident, words, link, "", link)
    return Shown(incident, words, link, _address(act.view_name, incident, of_pixel=act.of_pixel), act.button)


def _address(view_name: str, incident: Incident, *, of_pixel: bool = True) -> str:
    """The page of the incident's pixel, or of its account."""
    name = incident.subject.partition(" ")[2]
    return address(view_name, incident.tenant, *[name] if of_pixel else [])
