"""How long each kind of row is kept. ``events/pruning.py`` deletes what is older.

How many rows of one pixel are kept is in ``events/bounds.py``.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from events.models import Counter

#: Counters of minutes; those of hours and days are kept for COUNTER_RETENTION.
MINUTES_KEPT = timedelta(days=2)
#: An event name or website, after it was last seen.
LABELS_KEPT = timedelta(days=30)
#: The delivery log of the release before; the other is kept for DELIVERY_LOG_DAYS.
DELIVERIES_KEPT = timedelta(days=7)
DEAD_LETTERS_KEPT = timedelta(days=30)
#: What was left out of events, what was wrong with their ids, and what the intake refused.
FINDINGS_KEPT = timedelta(days=7)
#: Meta drops a second event of the same name and id within this time.
IDS_KEPT = timedelta(hours=48)
#: What a visitor has given, after it was last given (docs/decisions/0020).
IDENTITIES_KEPT = timedelta(days=90)
#: A removed pixel's token is kept no longer, whether Meta has confirmed or not.
REMOVALS_KEPT = timedelta(days=7)


def counters_kept(span: Counter.Span) -> timedelta:
    """For how long counters of the span are kept."""
    return MINUTES_KEPT if span is Counter.Span.MINUTE else timedelta(days=settings.COUNTER_RETENTION)
