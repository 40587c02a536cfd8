"""What passed in an account, counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.scope import TenantScope
from accounts.schema.types import milliseconds
from common.graphql.samples import MOMENT, Sampled
from common.graphql.selection import selected
from events.figures.metrics import Metrics, event_metrics
from events.schema.roads import as_int, by_road_field, shown_counts
from pixels.reads import pixel_keys
from pixels.validation import DEFAULT_WINDOW, clean_pixel_ids, clean_time_window


class EventTrafficSummary(graphene.ObjectType):
    """What was received."""

    id = graphene.ID(required=True, description=Sampled("EventTrafficSummary:incoming", "EventTrafficSummary:incoming"))
    event_names_count = graphene.Int(required=True, description="How many event names were seen.")
    events_count = graphene.Int(required=True, description="How many events were received.")


class ConversionsApiPublishSummary(graphene.ObjectType):
    """What was published."""

    id = graphene.ID(
        required=True, description=Sampled("ConversionsApiPublishSummary:global", "ConversionsApiPublishSummary:global")
    )
    event_names_count = graphene.Int(required=True, description="How many event names were published.")
    events_count = graphene.Int(required=True, description="How many events were published.")
    publish_success_rate = graphene.Float(
        required=True,
        description=Sampled("The part of the attempts that succeeded, from 0.0 to 1.0; 0.0 without any.", 1.0),
    )


class EventActivity(graphene.ObjectType):
    """The events of one name."""

    id = graphene.ID(
        required=True,
        description=Sampled(
            "EventActivity:<event name>; nothing behind the colon for the names counted together.",
            "EventActivity:Purchase",
        ),
    )
    name = graphene.String(
        required=True,
        description=Sampled(
            "The event's name. Beyond 500 names a day, a pixel's further ones are counted together as Other.",
            "Purchase",
        ),
    )
    received_count = graphene.Int(required=True, description="How many events were received.")
    published_count = graphene.Int(required=True, description="How many events were published.")
    last_updated = graphene.String(
        description=Sampled(
            "The newest event: milliseconds since the epoch, as a string. Told to the minute for the running hour, to "
            "the hour for the running day, to the day before that. Null where none was received in the window.",
            str(MOMENT),
        )
    )
    by_road = by_road_field()


class DomainActivity(graphene.ObjectType):
    """The events of one website."""

    id = graphene.ID(
        required=True,
        description=Sampled(
            "DomainActivity:<domain>; nothing behind the colon for the websites counted together.",
            "DomainActivity:shop.example.com",
        ),
    )
    domain_name = graphene.String(
        required=True,
        description=Sampled(
            "The website's domain. Beyond 500 a day, a pixel's further ones are counted together as Other.",
            "shop.example.com",
        ),
    )
    received_count = graphene.Int(required=True, description="How many events were received.")
    published_count = graphene.Int(required=True, description="How many events were published.")
    by_road = by_road_field()


class EventMetricsSnapshot(graphene.ObjectType):
    """An account's events over a time window."""

    id = graphene.ID(
        required=True,
        description=Sampled(
            "EventMetricsSnapshot:<tenantId>:<timeWindowMin>, with a hash of the pixels' ids behind it "
            "where some are named: no other figures have it.",
            "EventMetricsSnapshot:$tenant_id:60",
        ),
    )
    incoming = graphene.Field(EventTrafficSummary, required=True, description="What was received.")
    outgoing = graphene.Field(ConversionsApiPublishSummary, required=True, description="What was published.")
    activity = graphene.List(NonNull(EventActivity), required=True, description="By event name, the busiest first.")
    domain_activity = graphene.List(
        NonNull(DomainActivity), required=True, description="By website, the busiest first."
    )
    by_road = by_road_field()


class MetricsQueries:
    """The part of TenantQueries that counts events."""

    event_metrics = graphene.Field(
        EventMetricsSnapshot,
        pixel_ids=graphene.List(
            NonNull(graphene.String), description="Pixels of the account to count; all of them where none is named."
        ),
        time_window_min=graphene.Int(
            default_value=DEFAULT_WINDOW, description=Sampled("How many minutes back to count, 1 to 43,200.", 60)
        ),
        description="The account's events over the last timeWindowMin minutes. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_event_metrics(
        root: TenantScope,
        info: ResolveInfo,
        pixel_ids: Sequence[str] | None = None,
        time_window_min: int | None = None,
    ) -> dict[str, Any]:
        minutes = clean_time_window(time_window_min)
        keys = pixel_keys(root.tenant)
        named = clean_pixel_ids(pixel_ids, keys)
        by_website = "domainActivity" in selected(info)
        metrics = event_metrics([keys[pixel_id] for pixel_id in named or keys], minutes, by_website=by_website)
        return {"id": _snapshot_id(root.tenant_id, minutes, named), **_shown(metrics)}


def _snapshot_id(tenant_id: str, minutes: int, named: Sequence[str]) -> str:
    """Normalising caches keep figures by their id: other accounts, windows and pixels have another one."""
    pixels = hashlib.sha256(",".join(sorted(named)).encode()).hexdigest()[:16]
    return f"EventMetricsSnapshot:{tenant_id}:{minutes}" + (f":{pixels}" if named else "")


def _shown(metrics: Metrics) -> dict[str, Any]:
    together = metrics.counts.together
    return {
        "incoming": {
            "id": "EventTrafficSummary:incoming",
            "event_names_count": metrics.names_received,
            "events_count": as_int(together.received),
        },
        "outgoing": {
            "id": "ConversionsApiPublishSummary:global",
            "event_names_count": metrics.names_published,
            "events_count": as_int(together.published),
            "publish_success_rate": together.success_rate,
        },
        "activity": [
            {
                "id": f"EventActivity:{activity.label}",
                "name": activity.name,
                "last_updated": milliseconds(activity.updated_at),
                **shown_counts(activity),
            }
            for activity in metrics.names
        ],
        "domain_activity": [
            {"id": f"DomainActivity:{activity.label}", "domain_name": activity.name, **shown_counts(activity)}
            for activity in metrics.websites
        ],
        "counted": metrics.counts,
    }
