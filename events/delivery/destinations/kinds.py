"""The kinds of destinations that gateway pipelines know: a file or folder each, and their lines here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from events.delivery.destinations import custom_http, meta
from events.delivery.destinations.answers import Sample, Sender, Trial
from pipelines.models import DestinationType

Values = Mapping[str, Any]

#: Given a destination's settings and its secrets; None where they lack something: then its events wait, as those of
#: other kinds do.
KINDS: Mapping[str, Callable[[Values, Values], Sender | None]] = {
    DestinationType.META_CONVERSIONS_API: meta.sender,
    DestinationType.CUSTOM_HTTP_API: custom_http.sender,
}

#: How one event is sent by the same road while somebody watches. Given settings and secrets that lack nothing.
TRIALS: Mapping[str, Callable[[Values, Values, Sample], Trial]] = {
    DestinationType.META_CONVERSIONS_API: meta.try_out,
    DestinationType.CUSTOM_HTTP_API: custom_http.try_out,
}

#: Events for these are completed with what is known of their visitors, in accounts that ask for it. Others get no more
#: of a person than the event says itself.
COMPLETED = frozenset({DestinationType.META_CONVERSIONS_API.value})

#: These keep nothing of what comes.
KEEP_NOTHING = frozenset({DestinationType.AUDIENCE_STORAGE.value})
