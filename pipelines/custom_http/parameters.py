"""What a template calls an event's fields: the reference's parameters, wherever in the event they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Those that stand deeper in an event of the Conversions API; every other one is a field of the event itself.
_DEEPER = {
    "client_ip_address": ("user_data", "client_ip_address"),
    "mobile_advertiser_id": ("user_data", "madid"),
    "currency": ("custom_data", "currency"),
    "value": ("custom_data", "value"),
    "num_items": ("custom_data", "num_items"),
    "extinfo": ("app_data", "extinfo"),
    "advertiser_tracking_enabled": ("app_data", "advertiser_tracking_enabled"),
    "application_tracking_enabled": ("app_data", "application_tracking_enabled"),
}
PARAMETERS = (
    "event_name",
    "event_time",
    "user_data",
    "custom_data",
    "event_source_url",
    "event_id",
    "action_source",
    "data_processing_options",
    "data_processing_options_country",
    "data_processing_options_state",
    "app_data",
    "referrer_url",
    *_DEEPER,
)


class Fields(dict[str, Any]):
    """An event as templates see it: what it holds, and every parameter, None where it is missing."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Fields:
        fields = cls(event)
        for name in PARAMETERS:
            fields.setdefault(name, _deeper(event, name))
        return fields


def _deeper(event: Mapping[str, Any], name: str) -> Any:
    group, key = _DEEPER.get(name, (name, name))
    values = event.get(group)
    return values.get(key) if isinstance(values, Mapping) else None


_EXTINFO = ["i2", "com.example.shop", "1.0", "1.0", "13.4.1", "iPhone5,1", "en_US", "UTC"]
_EXTINFO += ["", "320", "568", "2", "2", "13", "8", "Europe/Berlin"]
#: An event that has every parameter: what a template makes of it is seen before real ones come.
SAMPLE: Mapping[str, Any] = {
    "event_name": "Purchase",
    "event_time": 1_767_225_600,
    "event_id": "order-1042",
    "action_source": "website",
    "event_source_url": "https://shop.example.com/checkout?step=3",
    "referrer_url": "https://shop.example.com/basket",
    "user_data": {
        "em": ["973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"],
        "client_ip_address": "192.0.2.1",
        "client_user_agent": "Mozilla/5.0",
        "madid": "38400000-8cf0-11bd-b23e-10b96e40000d",
    },
    "custom_data": {"currency": "EUR", "value": 89.9, "num_items": 2, "content_ids": ["boots-42", "socks-7"]},
    "app_data": {
        "advertiser_tracking_enabled": True,
        "application_tracking_enabled": False,
        "extinfo": _EXTINFO,
    },
    "data_processing_options": [],
    "data_processing_options_country": 0,
    "data_processing_options_state": 0,
}
