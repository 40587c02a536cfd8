"""The delivery log in the reader's language."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from events.batches import EXPIRED, PUBLISHING_OFF, RECEIVING_OFF, dropped_by
from filters.matching import Kind, Rule

register = template.Library()

_EVENT_FILTER = dropped_by(Rule(Kind.EVENT, "", None, drops=True)).detail
_WEBSITE_FILTER = dropped_by(Rule(Kind.DOMAIN, "", None, drops=True)).detail


@register.filter
def in_words(detail: str) -> str:
    """What the worker has noted, translated; Meta's own messages stay as they are."""
    if detail.startswith(_EVENT_FILTER):
        return _("Event filter for %(name)s") % {"name": detail.removeprefix(_EVENT_FILTER)}
    if detail.startswith(_WEBSITE_FILTER):
        return _("Website filter for %(name)s") % {"name": detail.removeprefix(_WEBSITE_FILTER)}
    known = {
        RECEIVING_OFF.detail: _("Receiving was off"),
        PUBLISHING_OFF.detail: _("Publishing was off"),
        EXPIRED.detail: _("Older than 7 days"),
    }
    return known.get(detail, detail)
