"""Asks a portal through the package that openapi-python-client has made: see test_rest_and_oauth_clients.py.

Run as a script, where that package is: python openapi_client.py URL TOKEN PIXEL_ID; prints what it got, as JSON.
"""

import json
import sys
import time
from typing import Any

from gateway_client import AuthenticatedClient, Client
from gateway_client.api.default import portal_api_healthz as healthz
from gateway_client.api.events import events_api_receive_events as receive
from gateway_client.api.usage import events_usage_export_get_usage as usage
from gateway_client.models import EventsApiReceiveEventsBody as Body

url, token, pixel_id = sys.argv[1:]
anybody, robot = Client(base_url=url), AuthenticatedClient(base_url=url, token=token)
stranger = AuthenticatedClient(base_url=url, token="unknown")


def ask_usage(client: Any, first: str) -> Any:
    answer = usage.sync_detailed(client=client, from_=first, to="2026-03-02")
    return [answer.status_code, answer.parsed.to_dict()]


def send(**changes: Any) -> Any:
    event = {
        "event_name": "Purchase",
        "event_time": int(time.time()),
        "action_source": "system_generated",
        "user_data": {"external_id": "ada"},
    }
    answer = receive.sync_detailed(pixel_id, client=anybody, body=Body.from_dict({"data": [event | changes]}))
    return [answer.status_code, answer.parsed.to_dict()]


seen = {
    "health": healthz.sync(client=anybody).to_dict(),
    "usage": ask_usage(robot, "2026-03-01"),
    "usage of a stranger": ask_usage(stranger, "2026-03-01"),
    "usage since no day": ask_usage(robot, "no day"),
    "sent": send(),
    "sent too late": send(event_time=1),
}
json.dump(seen, sys.stdout)
