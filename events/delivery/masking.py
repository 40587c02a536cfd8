"""An event as people may see it: what may tell of the visitor is masked."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from accounts.audit import MASK

_ADDRESSES = frozenset({"event_source_url", "referrer_url"})
#: What a dead letter shows of an event ("Server Event Parameters" and "Custom Data Parameters" of Meta's reference).
_SHOWN = frozenset(
    {
        "event_name",
        "event_time",
        "event_id",
        "action_source",
        "opt_out",
        "messaging_channel",
        "data_processing_options",
        "data_processing_options_country",
        "data_processing_options_state",
    }
)
_NESTED: dict[str, frozenset[str]] = {
    "user_data": frozenset(),
    "custom_data": frozenset(
        {
            "currency",
            "value",
            "predicted_ltv",
            "num_items",
            "content_ids",
            "content_type",
            "content_category",
            "delivery_category",
        }
    ),
}
_USER = re.compile(r"\A(\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\]*)[^/\\]*@")
#: However often it was encoded.
_AT = re.compile("@|%(?:25)*40")


def masked_event(stored: bytes) -> dict[str, Any]:
    """The event as it would be sent, but for what may tell of the visitor: enough to see what Meta did not like.

    Shown are the fields that Meta's reference knows as impersonal, and the names of the others. Of addresses the host
    and the path are shown. What cannot be read is nothing.
    """
    try:
        event = msgspec.json.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return masked(event) if isinstance(event, dict) else {}


def masked(event: dict[str, Any]) -> dict[str, Any]:
    """The same of an event that has been read."""
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: Any) -> Any:
    if name in _ADDRESSES:
        return _impersonal_part(value) if isinstance(value, str) else MASK
    if name in _NESTED and isinstance(value, dict):
        return {inner: each if inner in _NESTED[name] and _is_plain(each) else MASK for inner, each in value.items()}
    return value if name in _SHOWN and _is_plain(value) else MASK


def _is_plain(value: Any) -> bool:
    """A value, or a list of values: what a sender has hidden deeper was not read by Meta either."""
    values = value if isinstance(value, list) else [value]
    return not any(isinstance(each, dict | list) for each in values)


def _impersonal_part(address: str) -> str:
    """Without query and user; a path with an address of mail is no impersonal one."""
    address = _USER.sub(r"\1", re.split(r"[?#;]", address, maxsplit=1)[0])
    return MASK if _AT.search(address) else address
