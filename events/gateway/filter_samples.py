"""Events that an advertiser's filter can be tried on: as the filter gets them in visitors' browsers."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from events.delivery.masking import masked_event
from events.gateway.page_events import PAGE_EVENTS, PAGE_VISITOR
from events.gateway.trials import OFFERED, first_of
from events.models import Road, SourceRow
from pipelines.models import Source

_MADE_UP = "Purchase"
_PAGE = "https://shop.example.com/checkout?step=3"
#: What the script and the gateway tell of a visitor once the filter has run: the filter does not get it.
_ADDED = ("client_ip_address", "client_user_agent", "fbp", "fbc")


class FilterSample(NamedTuple):
    """One that can be chosen."""

    name: str
    #: eventName, domainUrl, userData and customData.
    event: dict[str, Any]


def filter_samples(source: Source) -> list[FilterSample]:
    """One that is made up, then those that came last from browsers and are still kept, masked: as before the filter."""
    samples = [FilterSample(_("Made up: %(event)s") % {"event": _MADE_UP}, _made_up(source))]
    rows = SourceRow.objects.filter(source=source, road=Road.BROWSER)
    for row in rows.order_by("-pk")[:OFFERED]:
        if event := masked_event(first_of(row)):
            name = f"{event.get('event_name', '')} · {event.get('event_id', '')}"
            samples.append(FilterSample(name, _as_in_browsers(event)))
    return samples


def _made_up(source: Source) -> dict[str, Any]:
    """What the source's script makes of ``PAGE_EVENTS`` and ``PAGE_VISITOR``: it hashes contact data where it is to."""
    visitor = dict(PAGE_VISITOR)
    if source.hash_contact_data:
        visitor["em"] = hashlib.sha256(visitor["em"].encode()).hexdigest()
    return _event(_MADE_UP, _PAGE, visitor, PAGE_EVENTS[_MADE_UP])


def _as_in_browsers(event: dict[str, Any]) -> dict[str, Any]:
    person = event.get("user_data")
    told = {field: value for field, value in person.items() if field not in _ADDED} if isinstance(person, dict) else {}
    return _event(event.get("event_name", ""), event.get("event_source_url", ""), told, event.get("custom_data", {}))


def _event(name: str, page: str, visitor: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {"eventName": name, "domainUrl": page, "userData": visitor, "customData": data}
