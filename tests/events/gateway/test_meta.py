"""A data set at Meta as a destination: the requests are those of a pixel."""

from __future__ import annotations

import pytest

from events.gateway.delivering import deliver
from events.models import DestinationLetter, SourceRow
from events.sandbox import Sandbox
from pipelines.models import Destination, DestinationType, Source
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
from tests.events.outbox import bad_purchase, ids
from tests.factories import (
    DestinationFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return source_of()


@pytest.fixture
def data_set(source: Source) -> Destination:
    destination = DestinationFactory.create(
        tenant=source.tenant,
        type=DestinationType.META_CONVERSIONS_API,
        settings={"dataSetId": "7001", "apiVersion": "v24.0"},
        secrets='{"accessToken": "the token"}',
    )
    pipeline = PipelineFactory.create(tenant=source.tenant)
    PipelineSourceFactory.create(pipeline=pipeline, source=source)
    PipelineDestinationFactory.create(pipeline=pipeline, destination=destination)
    return destination


def test_events_reach_the_data_set(source: Source, data_set: Destination, sandbox: Sandbox) -> None:
    events = purchases(3)
    put(source, *events[:2])
    put(source, events[2], options='{"test_event_code":"TEST1"}')

    run(source)

    assert {each.pixel_id for each in sandbox.arrivals} == {"7001"}
    assert ids(sandbox.received) == ids(events)
    assert len(sandbox.requests) == 2, "events of other options go apart"
    assert of_destination(data_set) == {"received": 3, "published": 3}
    assert lane(data_set).get().last_published is not None


def test_what_meta_refuses_is_a_dead_letter(source: Source, data_set: Destination, sandbox: Sandbox) -> None:
    put(source, purchase(), bad_purchase(), purchase())

    run(source)

    assert DestinationLetter.objects.get().code == "100"
    assert of_destination(data_set)["published"] == 2
    assert of_destination(data_set)["failed"] == 1
    assert is_balanced(data_set)


def test_a_rejected_token_holds_the_destination_until_there_is_a_new_one(
    source: Source, data_set: Destination, sandbox: Sandbox
) -> None:
    sandbox.fail(code=190, times=1)
    put(source, purchase())
    run(source)
    assert lane(data_set).values("held", "code").get() == {"held": True, "code": "190"}
    assert not deliver(data_set.pk)
    assert not sandbox.received

    data_set.secrets = '{"accessToken": "another"}'
    data_set.save()
    deliver(data_set.pk)

    assert len(sandbox.received) == 1
    assert lane(data_set).values("held", "code", "message").get() == {"held": False, "code": "", "message": ""}


def test_a_fault_of_metas_is_waited_for(source: Source, data_set: Destination, sandbox: Sandbox) -> None:
    sandbox.fail(code=2, times=1)
    sandbox.fail(close=True, times=1)
    put(source, purchase())
    run(source)
    assert lane(data_set).values("held", "code", "failures").get() == {"held": False, "code": "2", "failures": 1}
    again(data_set)
    assert lane(data_set).values("silence", "failures").get() == {"silence": "RemoteProtocolError", "failures": 2}
    again(data_set)

    assert of_destination(data_set) == {"received": 1, "published": 1, "publish_errors": 2}
    assert not SourceRow.objects.exists()


@pytest.mark.parametrize("missing", ["dataSetId", "apiVersion", "accessToken"])
def test_without_all_that_sending_takes_nothing_is_sent(
    source: Source, data_set: Destination, sandbox: Sandbox, missing: str
) -> None:
    data_set.settings.pop(missing, None)
    if missing == "accessToken":
        data_set.secrets = None
    data_set.save()
    put(source, purchase())

    run(source)

    assert lane(data_set).values("held", "code").get() == {"held": True, "code": "not_configured"}
    assert not sandbox.requests
