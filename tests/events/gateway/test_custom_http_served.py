"""An account's own HTTP API as a destination, configured as its people do, with a server at the other end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from accounts.principals import OPERATOR
from events.gateway.delivering import deliver
from events.models import DestinationLetter, SourceRow
from pipelines.custom_http.given import AddTo, AuthType, HttpConfig, HttpMethod
from pipelines.models import Destination, DestinationType, Source
from pipelines.services import configuration
from tests.events.gateway.stage import (
    again,
    is_balanced,
    lane,
    of_destination,
    purchase,
    purchases,
    put,
    run,
    source_of,
)
from tests.events.outbox import ids
from tests.factories import DestinationFactory, PipelineDestinationFactory, PipelineFactory, PipelineSourceFactory
from tests.pipelines.custom_http.templates import PRINTED

pytestmark = pytest.mark.django_db


class Api:
    """What the account serves: it refuses who has not its key, and events whose id it does not like."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.port}/events"
        self.key = "canary"
        self.dislikes = ""
        self.taken: list[dict[str, Any]] = []
        self.requests = 0
        server.expect_request("/events").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        self.requests += 1
        if request.headers.get("X-Key") != self.key:
            return Response("Who are you?", 401)
        events = json.loads(request.data)["data"]
        if self.dislikes in [event["event_id"] for event in events]:
            return Response(f"not {self.dislikes}", 422)
        self.taken += events
        return Response("", 204)


@pytest.fixture
def api(httpserver: HTTPServer, settings: Settings) -> Api:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    return Api(httpserver)


@pytest.fixture
def source() -> Source:
    return source_of()


@pytest.fixture
def destination(source: Source, api: Api) -> Destination:
    made = DestinationFactory.create(tenant=source.tenant, type=DestinationType.CUSTOM_HTTP_API)
    pipeline = PipelineFactory.create(tenant=source.tenant)
    PipelineSourceFactory.create(pipeline=pipeline, source=source)
    PipelineDestinationFactory.create(pipeline=pipeline, destination=made)
    configure(made, api)
    return made


def configure(destination: Destination, api: Api, *, key: str = "canary", template: str = PRINTED) -> None:
    config = HttpConfig(
        endpoint=api.url,
        http_method=HttpMethod.POST,
        auth_type=AuthType.API_KEY,
        payload_schema=template,
        api_key_auth={"name": "X-Key", "value": key, "add_to": AddTo.HEADER},
    )
    configuration.configure_http(
        principal=OPERATOR, tenant_id=destination.tenant_id, id=f"sg_v1_dd_{destination.uuid}", config=config
    )


def test_events_reach_the_account_in_the_form_of_its_template(
    source: Source, destination: Destination, api: Api
) -> None:
    events = purchases(3)
    put(source, *events)

    run(source)

    assert ids(api.taken) == ids(events)
    assert (api.requests, api.taken[0]["custom_data"]["currency"]) == (1, events[0]["custom_data"]["currency"])
    assert of_destination(destination) == {"received": 3, "published": 3}
    assert not SourceRow.objects.exists()


def test_the_event_at_fault_stands_alone(source: Source, destination: Destination, api: Api) -> None:
    events = purchases(5)
    api.dislikes = events[2]["event_id"]
    put(source, *events)

    run(source)

    assert sorted(ids(api.taken)) == sorted(ids(events[:2] + events[3:]))
    letter = DestinationLetter.objects.get()
    assert (letter.event_id, letter.code) == (api.dislikes, "422")
    assert is_balanced(destination)


def test_a_key_that_is_not_taken_holds_events_until_there_is_another(
    source: Source, destination: Destination, api: Api
) -> None:
    api.key = "another"
    put(source, purchase())
    run(source)
    assert lane(destination).values("held", "code", "message").get() == {
        "held": True, "code": "401", "message": "HTTP 401: Who are you?",
    }  # fmt: skip

    configure(destination, api, key="another")
    deliver(destination.pk)

    assert len(api.taken) == 1


def test_events_wait_for_an_address_that_is_not_the_internets(
    source: Source, destination: Destination, api: Api, settings: Settings
) -> None:
    settings.DESTINATION_ALLOWED_NETWORKS = []
    put(source, purchase())
    run(source)
    assert lane(destination).values("held", "message").get() == {
        "held": False, "message": "The address is not on the public internet.",
    }  # fmt: skip
    assert api.requests == 0

    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    again(destination)

    assert len(api.taken) == 1


def test_without_a_loop_each_event_has_a_request(source: Source, destination: Destination, api: Api) -> None:
    configure(destination, api, template='{"data": [{"event_id": "{{ event_id }}", "name": {{ event_name }}}]}')
    put(source, *purchases(3))

    run(source)

    assert (api.requests, len(api.taken)) == (3, 3)
