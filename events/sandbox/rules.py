"""What Meta checks before it takes events, and the words of its refusals.

After the reference of the Conversions API ("Server event parameters", "Customer information parameters", "Handling
errors"): one invalid event refuses the whole request, and the message names the event by its index.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_EVENTS = 1_000
MAX_AGE_SECONDS = 7 * 24 * 3_600
MAX_AHEAD_SECONDS = 10 * 60

ACTION_SOURCES = frozenset(
    {
        "app",
        "business_messaging",
        "chat",
        "email",
        "other",
        "phone_call",
        "physical_store",
        "system_generated",
        "website",
    }
)
#: Contact information, which Meta takes as SHA-256 only.
HASHED = ("em", "ph", "fn", "ln", "ct", "st", "zp", "ge", "db", "country")
#: Access tokens that start like this are answered as Meta answers revoked ones.
REJECTED_TOKEN_PREFIX = "rejected"  # noqa: S105  # nosec B105  # the start of a word that stands for a bad token

_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
_PIXEL_ID = re.compile(r"\d{1,20}")
# Meta's parameter builder puts an appendix behind a dot.
_SHA256 = re.compile(r"[0-9a-fA-F]{64}(\..+)?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass
class GraphError(Exception):
    """A refusal, as the Graph API words it."""

    code: int
    message: str
    subcode: int | None = None
    http_status: int = 400
    user_title: str = ""
    user_message: str = ""

    def as_json(self, trace_id: str) -> dict[str, Any]:
        """The body of the answer."""
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.user_title:
            error |= {"error_user_title": self.user_title, "error_user_msg": self.user_message}
        return {"error": error | {"fbtrace_id": trace_id}}


def check_path(version: str, pixel_id: str) -> None:
    """Raise GraphError unless the address is one of an existing edge."""
    if not _VERSION.fullmatch(version):
        raise GraphError(2500, f"Unknown path components: /{version}/{pixel_id}/events")
    if not _PIXEL_ID.fullmatch(pixel_id):
        raise GraphError(
            100,
            f"Unsupported post request. Object with ID '{pixel_id}' does not exist, cannot be loaded due to missing"
            " permissions, or does not support this operation.",
            subcode=33,
        )


def check_token(token: object) -> None:
    """Raise GraphError for a missing access token, and for one that starts with REJECTED_TOKEN_PREFIX."""
    if not token or not isinstance(token, str):
        raise GraphError(104, "An access token is required to request this resource.")
    if token.startswith(REJECTED_TOKEN_PREFIX):
        raise GraphError(
            190,
            "Error validating access token: The session has been invalidated because the user changed their password"
            " or Facebook has changed the session for security reasons.",
            subcode=460,
            http_status=401,
        )


def check_events(events: object, *, now: float | None = None) -> list[dict[str, Any]]:
    """The events, if Meta would take every one of them."""
    if not isinstance(events, list) or not events:
        raise GraphError(100, "(#100) The parameter data is required: an array of at least one event.")
    if len(events) > MAX_EVENTS:
        raise GraphError(100, f"(#100) param data must have at most {MAX_EVENTS} elements, not {len(events)}.")
    now = time.time() if now is None else now
    for index, event in enumerate(events):
        if not isinstance(event, dict):
            raise _invalid(index, "", "must be an object.")
        _check_event(index, event, now)
    return events


def _check_event(index: int, event: Mapping[str, Any], now: float) -> None:
    for field in ("event_name", "action_source"):
        if not isinstance(event.get(field), str) or not event[field]:
            raise _invalid(index, field, "must be a non-empty string.")
    if event["action_source"] not in ACTION_SOURCES:
        raise _invalid(index, "action_source", f"must be one of {{{', '.join(sorted(ACTION_SOURCES))}}}.")
    if not isinstance(event.get("event_id", ""), str):
        raise _invalid(index, "event_id", "must be a string.")
    _check_time(index, event.get("event_time"), now)
    _check_user_data(index, event)
    _check_custom_data(index, event.get("custom_data"))


def _check_time(index: int, event_time: object, now: float) -> None:
    if isinstance(event_time, str) and event_time.isascii() and event_time.isdigit():
        event_time = int(event_time[:20])
    if not isinstance(event_time, int) or isinstance(event_time, bool) or event_time <= 0:
        raise _invalid(index, "event_time", "must be a Unix timestamp in seconds.")
    if event_time < now - MAX_AGE_SECONDS:
        raise _invalid(
            index,
            "event_time",
            "is too old.",
            subcode=2804003,
            title="Event Timestamp Too Old",
            text="The timestamp for this event is too far in the past: events are taken for seven days.",
        )
    if event_time > now + MAX_AHEAD_SECONDS:
        raise _invalid(
            index,
            "event_time",
            "is in the future.",
            subcode=2804004,
            title="Event Timestamp In The Future",
            text="The timestamp for this event is in the future.",
        )


def _check_user_data(index: int, event: Mapping[str, Any]) -> None:
    user_data = event.get("user_data")
    if not isinstance(user_data, dict) or not user_data:
        raise _invalid(
            index,
            "user_data",
            "must have at least one parameter.",
            subcode=2804050,
            title="Not Enough Customer Information",
            text="This event does not have enough customer information parameters.",
        )
    if event["action_source"] == "website":
        if not isinstance(event.get("event_source_url"), str) or not event["event_source_url"]:
            raise _invalid(index, "event_source_url", "is required for website events.")
        if not isinstance(user_data.get("client_user_agent"), str) or not user_data["client_user_agent"]:
            raise _invalid(index, "user_data.client_user_agent", "is required for website events.")
    for field in HASHED:
        if field in user_data and not _is_hashed(user_data[field]):
            raise _invalid(index, f"user_data.{field}", "must be hashed with SHA-256.")


def _is_hashed(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, str) and _SHA256.fullmatch(each) for each in values)


def _check_custom_data(index: int, custom_data: object) -> None:
    if custom_data is None:
        return
    if not isinstance(custom_data, dict):
        raise _invalid(index, "custom_data", "must be an object.")
    currency, value = custom_data.get("currency"), custom_data.get("value")
    if currency is not None and not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
        raise _invalid(index, "custom_data.currency", "must be a currency code of ISO 4217.")
    if value is not None and not _is_number(value):
        raise _invalid(index, "custom_data.value", "must be a number.")


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(
    index: int, field: str, rule: str, *, subcode: int | None = None, title: str = "", text: str = ""
) -> GraphError:
    name = f"data[{index}]" + "".join(f"['{part}']" for part in field.split(".") if part)
    return GraphError(100, f"(#100) param {name} {rule}", subcode=subcode, user_title=title, user_message=text)
