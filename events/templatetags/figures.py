"""Figures of traffic in the reader's language."""

from __future__ import annotations

from math import ceil

from django.template import Library
from django.template.defaultfilters import floatformat

from events.figures.roads import Counts

register = Library()


@register.filter
def success_rate(counts: Counts) -> str:
    """Sent events in percent of all attempts, to a tenth; 100 and 0 only where that is exactly so."""
    if not counts.attempted:
        return "–"
    tenths = 1_000 * counts.published // counts.attempted
    return f"{floatformat(max(tenths, 1 if counts.published else 0) / 10, -1)} %"


@register.filter
def percent(part: float) -> str:
    """A part in whole percent; 100 and 0 only where that is exactly so."""
    return f"{max(int(100 * part), 1 if part else 0)} %"


@register.filter
def percent_at_most(part: float) -> str:
    """A part in whole percent, not less than it is."""
    return f"{ceil(100 * part)} %"
