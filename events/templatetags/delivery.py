"""Where events go and what became of them, in the reader's language."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from events.delivery.explanations import NO_ANSWER, UNREADABLE
from events.delivery.fates import EXPIRED, PUBLISHING_OFF, RECEIVING_OFF, dropped_by
from events.delivery.graph_api import publishes_to_sandbox
from events.models import Road
from filters.matching import Kind, Rule
from pipelines.custom_http import judging

register = template.Library()

_EVENT_FILTER = dropped_by(Rule(Kind.EVENT, "", None, drops=True)).detail
_WEBSITE_FILTER = dropped_by(Rule(Kind.DOMAIN, "", None, drops=True)).detail


@register.filter
def in_words(detail: str) -> str:
    """What the worker has noted, translated; what Meta or a destination said stays as it is."""
    if detail.startswith(_EVENT_FILTER):
        return _("Event filter for %(name)s") % {"name": detail.removeprefix(_EVENT_FILTER)}
    if detail.startswith(_WEBSITE_FILTER):
        return _("Website filter for %(name)s") % {"name": detail.removeprefix(_WEBSITE_FILTER)}
    known = {
        RECEIVING_OFF.detail: _("Receiving was off"),
        PUBLISHING_OFF.detail: _("Publishing was off"),
        EXPIRED.detail: _("Older than 7 days"),
        NO_ANSWER: _(NO_ANSWER),
        UNREADABLE: _(UNREADABLE),
    }
    return known[detail] if detail in known else judging.in_words(detail)


@register.filter
def is_browser(road: int) -> bool:
    """Is it the road of browsers?"""
    return road == Road.BROWSER


register.simple_tag(publishes_to_sandbox)
