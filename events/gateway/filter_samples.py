"""Events that an advertiser's filter can be tried on: as the filter gets them in visitors' browsers."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from events.delivery.masking import masked_event
from events.gateway.trials import OFFERED, first_of
from events.models import SourceRow
from pipelines.custom_http.parameters import SAMPLE
from pipelines.models import Source


class FilterSample(NamedTuple):
    """One that can be chosen."""

    name: str
    #: eventName, domainUrl, userData and customData.
    event: dict[str, Any]


def filter_samples(source: Source) -> list[FilterSample]:
    """One that is made up, then those that came last and are still kept; what tells of visitors is masked."""
    samples = [FilterSample(_("Made up: %(event)s") % {"event": SAMPLE["event_name"]}, _as_in_browsers(SAMPLE))]
    for row in SourceRow.objects.filter(source=source).order_by("-pk")[:OFFERED]:
        if event := masked_event(first_of(row)):
            name = f"{event.get('event_name', '')} · {event.get('event_id', '')}"
            samples.append(FilterSample(name, _as_in_browsers(event)))
    return samples


def _as_in_browsers(event: Any) -> dict[str, Any]:
    return {
        "eventName": event.get("event_name", ""),
        "domainUrl": event.get("event_source_url", ""),
        "userData": event.get("user_data", {}),
        "customData": event.get("custom_data", {}),
    }
