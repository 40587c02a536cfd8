"""Where events are sent."""

from __future__ import annotations

#: The gateway's own address; clients of Meta's gateway have it built in.
GATEWAY = "/capi"


def events_path(pixel_id: object) -> str:
    """The path to which a pixel's events are sent."""
    return f"{GATEWAY}/{pixel_id}/events"
