"""A test event: it takes the way of every other, through the real intake, so that its arrival proves the whole way."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from accounts.services.routing import address_of
from common.errors import InvalidInput
from common.validation import clean_text
from events.intake.event_ids import make_test_id
from events.intake.outbox import store
from events.intake.receive import pixel_that_receives, receive
from filters.domains import host_of
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.reads import get_pixel

#: What the intake says of the one event of a request starts like this.
_PATH = "data[0]."
#: Somebody who is nobody: Meta wants to be told of a customer, and must match none.
_CUSTOMER: dict[str, Any] = {
    "external_id": [hashlib.sha256(b"gateway test event").hexdigest()],
    "client_user_agent": "Mozilla/5.0 (gateway test event)",
}


class BrowserTest(NamedTuple):
    """An event for a browser to send: what static/js/browser-test.js reads of it."""

    endpoint: str
    pixel: str
    id: str
    name: str
    page: str
    data: dict[str, Any]
    matching: dict[str, Any]


SEND_TEST_EVENT = Act("send test event", _("sent a test event to pixel %(subject)s"))
TEST_FROM_BROWSER = Act("test from browser", _("sent a test event from a browser to pixel %(subject)s"))


def send_test_event(
    *,
    principal: Principal,
    tenant_id: str,
    pixel_id: str,
    event_name: str,
    event_source_url: str = "",
    test_event_code: str = "",
) -> str:
    """Take in an event of the pixel, a website's where an address is given, and return its id.

    Meta counts it as a real one unless there is a ``test_event_code``. No transaction is open here: like any sender's,
    the event is stored for good before anybody is told of it.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    pixel = get_pixel(tenant, pixel_id)
    event: dict[str, object] = {
        "event_name": event_name,
        "event_time": int(time.time()),
        "event_id": make_test_id(),
        "action_source": "website" if event_source_url else "system_generated",
        "user_data": _CUSTOMER,
    }
    if event_source_url:
        event["event_source_url"] = event_source_url
    if custom_data := _custom_data(event_name):
        event["custom_data"] = custom_data
    request: dict[str, object] = {"data": [event], "test_event_code": test_event_code}
    if pixel.require_access_key:
        request["accessKey"] = pixel.access_key
    try:
        store(receive(pixel_that_receives(pixel.pixel_id), json.dumps(request).encode()))
    except InvalidInput as error:
        field = (error.field or "").removeprefix(_PATH)
        raise InvalidInput(field, error.rule, **error.limits) from None
    record(principal, SEND_TEST_EVENT, pixel, tenant=tenant)
    return str(event["event_id"])


@transaction.atomic
def prepare_browser_test(
    *, principal: Principal, tenant_id: str, pixel_id: str, event_name: str, page: str
) -> BrowserTest:
    """An event that the caller's own browser is to send at once, as the Meta Pixel on the ``page`` would.

    Meta counts it as a real one: the browser's road knows no code for tests. Nothing of it is stored here.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    pixel = get_pixel(tenant, pixel_id)
    pixel_that_receives(pixel.pixel_id)
    name = clean_text("event_name", event_name, max_length=EVENT_NAME_MAX_LENGTH)
    if host_of(page) is None:
        raise InvalidInput("page", "must be an http or https address.")
    record(principal, TEST_FROM_BROWSER, pixel, tenant=tenant)
    return BrowserTest(
        endpoint=address_of(tenant),
        pixel=pixel.pixel_id,
        id=make_test_id(),
        name=name,
        page=page,
        data=_custom_data(name),
        matching={"external_id": _CUSTOMER["external_id"][0]},
    )


def _custom_data(event_name: str) -> dict[str, object]:
    """Of a purchase, Meta wants to be told what it was worth."""
    return {"currency": "USD", "value": 0} if event_name == "Purchase" else {}
