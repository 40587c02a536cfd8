"""Events of gateway sources are completed on their way to Meta, in accounts that enhance events, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Tenant
from accounts.principals import OPERATOR
from accounts.services.tenants import update_tenant
from events.delivery.entries import Among, Delivered, Wanted
from events.delivery.reads import list_deliveries_of
from events.models import DestinationIdentity, DestinationLetter, Identity, Road, SourceRow
from events.pruning import prune
from events.sandbox import Sandbox
from pipelines.models import Destination, DestinationType, Pipeline, Source
from tests.events.gateway.conftest import Receivers
from tests.events.gateway.stage import again, pipeline, purchase, put, run, source_of
from tests.events.sending import ask
from tests.factories import PipelineSourceFactory, TenantFactory

pytestmark = pytest.mark.django_db

EMAIL, OTHER = "a" * 64, "b" * 64
FBP = "fb.1.1596403881668.1116446470"
_ADDRESS = "https://shop.example.com/?fbclid=IwAR2F4"


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create(event_enrichment=True)


@pytest.fixture
def source(tenant: Tenant) -> Source:
    return source_of(tenant)


@pytest.fixture
def made(source: Source) -> Pipeline:
    """To an HTTP destination and a data set at Meta, for which the sandbox answers."""
    made, (_, data_set) = pipeline(source, destinations=2)
    _configure(data_set)
    return made


@pytest.fixture
def data_set(made: Pipeline) -> Destination:
    return made.destination_links.get(destination__type=DestinationType.META_CONVERSIONS_API).destination


def _configure(data_set: Destination) -> None:
    data_set.settings = {"dataSetId": str(7000 + data_set.pk), "apiVersion": "v24.0"}
    data_set.secrets = json.dumps({"accessToken": "the token"})
    data_set.save()


def visit(source: Source, *, road: Road = Road.BROWSER, url: str = "https://shop.example.com/", **user: Any) -> str:
    """An event of the visitor comes, and goes out; its id."""
    event = purchase(event_source_url=url, user_data={"client_user_agent": "x", "fbp": FBP, **user})
    put(source, event, road=road)
    run(source)
    return str(event["event_id"])


def test_meta_gets_what_the_visitor_has_given_before(source: Source, made: Pipeline, sandbox: Sandbox) -> None:
    visit(source, em=[EMAIL])
    visit(source, url=_ADDRESS)

    user_data = sandbox.received[-1]["user_data"]
    assert user_data["em"] == [EMAIL]
    assert user_data["fbc"].endswith(".IwAR2F4")
    assert not Identity.objects.exists()


def test_no_other_destination_does(source: Source, receivers: Receivers, tenant: Tenant) -> None:
    _, (elsewhere, _) = pipeline(source, destinations=2)
    visit(source, em=[EMAIL])
    visit(source, url=_ADDRESS)

    (got, other) = (receivers[each].requests[-1][0]["user_data"] for each in sorted(receivers))
    assert (got, other["em"]) == ({"client_user_agent": "x", "fbp": FBP}, [EMAIL])
    assert not DestinationIdentity.objects.filter(destination=elsewhere).exists()


def test_nothing_is_completed_where_the_switch_is_off(
    source: Source, made: Pipeline, tenant: Tenant, sandbox: Sandbox
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(event_enrichment=False)
    visit(source, em=[EMAIL])
    visit(source, url=_ADDRESS)

    assert sandbox.received[-1]["user_data"] == {"client_user_agent": "x", "fbp": FBP}
    assert not DestinationIdentity.objects.exists()


def test_sources_of_one_data_set_know_the_same_visitors_and_other_data_sets_do_not(
    source: Source, made: Pipeline, data_set: Destination, tenant: Tenant, sandbox: Sandbox
) -> None:
    second = source_of(tenant)
    PipelineSourceFactory.create(pipeline=made, source=second)
    visit(source, em=[EMAIL])
    visit(second)
    assert sandbox.received[-1]["user_data"]["em"] == [EMAIL]

    elsewhere = source_of(tenant)
    _, (_, other) = pipeline(elsewhere, destinations=2)
    _configure(other)
    visit(elsewhere)
    assert sandbox.arrivals[-1].pixel_id == other.settings["dataSetId"]
    assert "em" not in sandbox.received[-1]["user_data"]


def test_nobody_gets_the_address_of_the_person_before(source: Source, made: Pipeline, sandbox: Sandbox) -> None:
    visit(source, road=Road.SERVER, em=[EMAIL])
    visit(source, road=Road.SERVER, em=[OTHER])
    visit(source)

    assert sandbox.received[-1]["user_data"]["em"] == [OTHER]


def test_what_waits_and_what_is_refused_are_kept_as_they_came(
    source: Source, made: Pipeline, data_set: Destination, sandbox: Sandbox
) -> None:
    visit(source, em=[EMAIL])
    sandbox.fail(code=2, times=1)
    sandbox.fail(code=100, times=1)
    visit(source)
    assert b"em" not in bytes(SourceRow.objects.latest("pk").body).replace(b"client", b"")

    again(data_set)

    assert json.loads(bytes(DestinationLetter.objects.get().event))["user_data"] == {
        "client_user_agent": "x",
        "fbp": FBP,
    }


def test_the_delivery_log_tells_that_an_event_was_completed(
    source: Source, made: Pipeline, data_set: Destination, sandbox: Sandbox
) -> None:
    event_ids = [visit(source, em=[EMAIL]), visit(source)]

    found = [sorted(entry.enriched for entry in _entries(source.tenant, event_id)) for event_id in event_ids]
    assert found == [[False, False], [False, True]]


def _entries(tenant: Tenant, event_id: str) -> Sequence[Delivered]:
    return list_deliveries_of(tenant, Among([], None), Wanted(event_id=event_id), first=9).rows


def test_an_event_of_a_server_gets_the_visitors_address_as_a_pixels_does(source: Source, made: Pipeline) -> None:
    headers = {"User-Agent": "Mozilla/5.0", "Origin": "https://shop.example.com"}
    body = json.dumps({"data": [purchase(user_data={"em": [EMAIL]})]}).encode()
    path = f"/capi/{source.source_id}/events"
    assert ask("POST", path, body, "application/json", headers=headers, REMOTE_ADDR="81.2.69.142").status == 202

    (stored,) = json.loads(bytes(SourceRow.objects.get().body))
    assert stored["user_data"] == {
        "em": [EMAIL], "client_user_agent": "Mozilla/5.0", "client_ip_address": "81.2.69.142",
    }  # fmt: skip


def test_with_the_switch_visitors_are_forgotten(
    source: Source, made: Pipeline, tenant: Tenant, sandbox: Sandbox
) -> None:
    visit(source, em=[EMAIL])
    assert DestinationIdentity.objects.exists()

    update_tenant(principal=OPERATOR, tenant_id=tenant.pk, event_enrichment=False)

    assert not DestinationIdentity.objects.exists()


def test_with_the_destination_visitors_are_forgotten(
    source: Source, made: Pipeline, data_set: Destination, sandbox: Sandbox
) -> None:
    visit(source, em=[EMAIL])
    data_set.delete()
    assert not DestinationIdentity.objects.exists()


def test_visitors_are_forgotten_after_ninety_days_and_where_there_are_too_many(
    data_set: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.bounds.MAX_IDENTITIES", 2)
    now = timezone.now()
    for days in (1, 2, 3, 91):
        seen_at = now - timedelta(days=days)
        DestinationIdentity.objects.create(destination=data_set, key=str(days), identifiers={}, seen_at=seen_at)

    prune(now)

    assert set(DestinationIdentity.objects.values_list("key", flat=True)) == {"1", "2"}
