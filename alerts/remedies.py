"""What the pages of incidents offer: a button where one click is enough, else a link to where the remedy is."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Action, is_allowed
from accounts.principals import Principal
from accounts.views.pages import address
from alerts.models import INSTANCE, Incident, RuleName
from alerts.words import Words, describe, subject_of


class Shown(NamedTuple):
    """An incident on a page; ``act`` is where its button posts to, empty where there is none for this reader."""

    incident: Incident
    words: Words
    #: Empty where this reader has no page to go to.
    link: Promise | str
    act: str
    button: Promise | str

    @property
    def has_link(self) -> bool:
        """Is there another page to go to?"""
        return bool(self.link) and self.incident.subject != INSTANCE


class _Act(NamedTuple):
    """One click: the page that it posts to, its name, and the right. The page is of the pixel or destination."""

    view_name: str
    button: Promise
    right: Action = Action.EDIT_DATA


_SEND_AGAIN = _("Send all again")
_ACTS = {
    (RuleName.DESTINATION, "destination"): _Act("pipelines:resume_destination", _("Resume")),
    (RuleName.WAITING, "pixel"): _Act("pixels:retry", _("Try again now")),
    (RuleName.WAITING, "destination"): _Act("pipelines:resume_destination", _("Try again now")),
    (RuleName.SUCCESS, "pixel"): _Act("pixels:replay", _SEND_AGAIN),
    (RuleName.SUCCESS, "destination"): _Act("pipelines:replay_letters", _SEND_AGAIN),
    (RuleName.REGISTRATION, "pixel"): _Act("pixels:register", _("Register again")),
    (RuleName.DOMAIN, "domain"): _Act("accounts:check_routing", _("Check the domain"), Action.EDIT_SETTINGS),
}
_SEE_PIXEL = _("See the pixel")
#: What leads to the remedy is called by the rule, and else by what is wrong.
_LINKS = {
    RuleName.TOKEN: _("Replace the token"),
    RuleName.SUCCESS: _("See the refused events"),
    RuleName.REFUSED: _("See what was refused"),
    RuleName.DOMAIN: _("See the settings"),
    RuleName.API_ACCOUNT: _("See the API accounts"),
    RuleName.RECEIVER: _("See the channel"),
}
_LINK_OF_KIND = {"pixel": _SEE_PIXEL, "destination": _("See the destination")}


def shown(principal: Principal, incident: Incident) -> Shown:
    """The incident, with what this reader may do about it. Its account must be at hand: ``select_related``."""
    rule, (kind, name) = RuleName(incident.rule), subject_of(incident)
    words, act = describe(incident), _ACTS.get((rule, kind))
    link: Promise | str = _LINKS.get(rule) or _LINK_OF_KIND.get(kind, _SEE_PIXEL)
    if rule is RuleName.TOKEN and not is_allowed(principal, Action.EDIT_DATA, incident.tenant):
        link = _SEE_PIXEL  # whoever may not replace the token
        words = words._replace(path=address("pixels:detail", incident.tenant, name))
    if rule is RuleName.RECEIVER:
        right = Action.EDIT_SETTINGS if incident.tenant else Action.EDIT_HOST
        link = link if is_allowed(principal, right, incident.tenant) else ""
    if act is None or incident.closed_at or not is_allowed(principal, act.right, incident.tenant):
        return Shown(incident, words, link, "", link)
    names = [] if kind == "domain" else [name]
    return Shown(incident, words, link, address(act.view_name, incident.tenant, *names), act.button)
