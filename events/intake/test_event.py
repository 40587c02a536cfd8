"""A test event: it takes the way of every other, through the real intake, so that its arrival proves the whole way."""

from __future__ import annotations

import hashlib
import json
import time
from uuid import uuid4

from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from events.intake.receive import pixel_that_receives, receive
from pixels.reads import get_pixel

#: What the intake says of the one event of a request starts like this.
_PATH = "data[0]."
#: Somebody who is nobody: Meta wants to be told of a customer, and must match none.
_CUSTOMER = {
    "external_id": [hashlib.sha256(b"gateway test event").hexdigest()],
    "client_user_agent": "Mozilla/5.0 (gateway test event)",
}


SEND_TEST_EVENT = Act("send test event", _("sent a test event to pixel %(subject)s"))


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
        "event_id": f"test-{uuid4().hex}",
        "action_source": "website" if event_source_url else "system_generated",
        "user_data": _CUSTOMER,
    }
    if event_source_url:
        event["event_source_url"] = event_source_url
    if event_name == "Purchase":  # of which Meta wants to be told what it was worth
        event["custom_data"] = {"currency": "USD", "value": 0}
    request: dict[str, object] = {"data": [event], "test_event_code": test_event_code}
    if pixel.require_access_key:
        request["accessKey"] = pixel.access_key
    try:
        receive(pixel_that_receives(pixel.pixel_id), json.dumps(request).encode())
    except InvalidInput as error:
        field = (error.field or "").removeprefix(_PATH)
        raise InvalidInput(field, error.rule, **error.limits) from None
    record(principal, SEND_TEST_EVENT, pixel, tenant=tenant)
    return str(event["event_id"])
