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

from events.parameters.rules import PARAMETER_ERROR
from events.sandbox import parameters
from events.sandbox.parameters import Breach, breach

MAX_EVENTS = 1_000
MAX_AGE_SECONDS = 7 * 24 * 3_600
MAX_AHEAD_SECONDS = 10 * 60

#: Access tokens that start like this are answered as Meta answers revoked ones.
REJECTED_TOKEN_PREFIX = "rejected"  # noqa: S105  # nosec B105  # the start of a word that stands for a bad token
REJECTED_WORDS = (
    "Error validating access token: The session has been invalidated because the user changed their password or"
    " Facebook has changed the session for security reasons."
)

_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
_PIXEL_ID = re.compile(r"\d{1,20}")

#: Parameters that fit too many people, alone or with others of the same line; but for a user agent alone.
_TOO_BROAD = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)
#: Whose conversation it was, of which a messaging event names one.
_BUSINESSES = ("page_id", "ig_account_id", "whatsapp_business_account_id")

#: Where a parameter stands in its event.
Path = tuple[str | int, ...]


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
            REJECTED_WORDS,
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
            raise _invalid(index, (), "must be an object.")
        _check_event(index, event, now)
    return events


def _check_event(index: int, event: Mapping[str, Any], now: float) -> None:
    _require(index, event, "event_name", "action_source")
    _obey(index, (), breach(event, parameters.EVENT))
    _check_time(index, event.get("event_time"), now)
    _check_user_data(index, event)
    _check_source(index, event)
    custom_data = event.get("custom_data") or {}
    _obey(index, ("custom_data",), breach(custom_data, parameters.CUSTOM_DATA, closed=False))
    if event["event_name"] == "Purchase":
        _check_purchase(index, custom_data)
    for place, content in enumerate(custom_data.get("contents") or ()):
        _require(index, content, "id", within=("custom_data", "contents", place))
        _obey(index, ("custom_data", "contents", place), breach(content, parameters.CONTENT))


def _check_time(index: int, event_time: object, now: float) -> None:
    if isinstance(event_time, str) and event_time.isascii() and event_time.isdigit():
        event_time = int(event_time[:20])
    if not isinstance(event_time, int) or isinstance(event_time, bool) or event_time <= 0:
        raise _invalid(index, ("event_time",), "must be a Unix timestamp in seconds.")
    if event_time < now - MAX_AGE_SECONDS:
        raise _invalid(
            index,
            ("event_time",),
            "is too old.",
            subcode=2804003,
            title="Event Timestamp Too Old",
            text="The timestamp for this event is too far in the past: events are taken for seven days.",
        )
    if event_time > now + MAX_AHEAD_SECONDS:
        raise _invalid(
            index,
            ("event_time",),
            "is in the future.",
            subcode=2804004,
            title="Event Timestamp In The Future",
            text="The timestamp for this event is in the future.",
        )


def _check_user_data(index: int, event: Mapping[str, Any]) -> None:
    user_data = event.get("user_data")
    if not isinstance(user_data, dict) or _is_too_little(user_data):
        raise _invalid(
            index,
            ("user_data",),
            "must tell more of the customer.",
            subcode=2804050,
            title="Not Enough Customer Information",
            text="This event does not have enough customer information parameters.",
        )
    _obey(index, ("user_data",), breach(user_data, parameters.USER_DATA))


def _is_too_little(user_data: Mapping[str, Any]) -> bool:
    names = {name for name, value in user_data.items() if value is not None}
    return not names or (names != {"client_user_agent"} and any(names <= broad for broad in _TOO_BROAD))


def _check_source(index: int, event: Mapping[str, Any]) -> None:
    """What an event needs because of where it happened."""
    match event["action_source"]:
        case "website":
            _require(index, event, "event_source_url")
            _require(index, event["user_data"], "client_user_agent", within=("user_data",))
        case "app":
            _require(index, event, "app_data")
            _require(index, event["app_data"], *parameters.APP_DATA, within=("app_data",))
            _obey(index, ("app_data",), breach(event["app_data"], parameters.APP_DATA, closed=False))
        case "business_messaging":
            _require(index, event, "messaging_channel", subcode=2804063)
            if not event["user_data"].keys() & _BUSINESSES:
                raise _invalid(index, ("user_data",), f"must have one of {', '.join(_BUSINESSES)}.", subcode=2804116)


def _check_purchase(index: int, custom_data: Mapping[str, Any]) -> None:
    _require(index, custom_data, "currency", within=("custom_data",), subcode=2804010)
    _require(index, custom_data, "value", within=("custom_data",), subcode=2804009)


def _require(
    index: int,
    fields: Mapping[str, Any],
    *names: str,
    within: Path = (),
    subcode: int = PARAMETER_ERROR,
) -> None:
    for name in names:
        if fields.get(name) is None:
            raise _invalid(index, (*within, name), "is required.", subcode=subcode)


def _obey(index: int, within: Path, found: Breach | None) -> None:
    if found:
        raise _invalid(index, (*within, *found.path), found.words, subcode=found.subcode)


def _invalid(
    index: int,
    path: Path,
    rule: str,
    *,
    subcode: int | None = PARAMETER_ERROR,
    title: str = "Invalid Event Parameter",
    text: str = "",
) -> GraphError:
    name = f"data[{index}]" + "".join(f"[{part!r}]" for part in path)
    return GraphError(
        100,
        f"(#100) param {name} {rule}",
        subcode=subcode,
        user_title=title,
        user_message=text or f"{name} {rule}",
    )
