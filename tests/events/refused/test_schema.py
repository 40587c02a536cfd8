"""``intakeRefusals``: what was refused, by GraphQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from events.models import Finding, RefusedRequest, Road, SourceFinding, SourceRefusedRequest
from tests.base import Cast, client_of
from tests.events.gateway.stage import source_of
from tests.events.refused.stage import NOT_LET_IN, REFUSED
from tests.factories import PixelFactory
from tests.operations import run

pytestmark = pytest.mark.django_db


def asked(cast: Cast, pixel_id: str) -> Any:
    return run(client_of(cast.robot), "intakeRefusals", tenantId=cast.shoes.pk, pixelId=pixel_id)


def told(cast: Cast, pixel_id: str) -> Any:
    return asked(cast, pixel_id).body["data"]["tenantQueries"]["intakeRefusals"]


def counted(**changes: Any) -> dict[str, Any]:
    return {"hour": timezone.now(), "kind": REFUSED, "field": "event_time", "reason": "time_too_old"} | changes


def request_of(**changes: Any) -> dict[str, Any]:
    refused = {"at": timezone.now(), "road": Road.SERVER, "field": "event_time", "reason": "time_too_old"}
    return refused | {"event_count": 1, "origin": 0} | changes


def test_counts_and_last_requests_of_a_pixel(cast: Cast) -> None:
    pixel, other = PixelFactory.create_batch(2, tenant=cast.shoes)
    Finding.objects.create(pixel=pixel, count=3, events=20, **counted())
    Finding.objects.create(pixel=pixel, count=1, events=1, **counted(road="browser"))
    Finding.objects.create(
        pixel=pixel, count=5, events=5, **counted(kind=NOT_LET_IN, field="access_key", reason="key_wrong")
    )
    Finding.objects.create(pixel=other, count=7, events=7, **counted())
    RefusedRequest.objects.create(pixel=pixel, **request_of(event_count=20, sample='{"event_time": 1}'))
    newest = RefusedRequest.objects.create(pixel=pixel, **request_of(field="data", reason="body_no_json"))

    refusals = told(cast, pixel.pixel_id)

    assert [
        (one["field"], one["letIn"], one["requestCount"], one["browserRequestCount"], one["eventCount"])
        for one in refusals["counts"]
    ] == [("event_time", True, 4, 1, 21), ("access_key", False, 5, 0, 5)]
    assert "7 days" in refusals["counts"][0]["explanation"]
    last, before = refusals["lastRequests"]
    assert (last["id"], last["reason"], last["sample"]) == (str(newest.pk), "body_no_json", None)
    assert (before["road"], before["eventCount"], before["sample"]) == ("SERVER", 20, '{"event_time": 1}')


def test_of_a_data_source_as_well(cast: Cast) -> None:
    source = source_of(cast.shoes)
    SourceFinding.objects.create(source=source, count=2, events=9, **counted())
    SourceRefusedRequest.objects.create(source=source, **request_of())
    refusals = told(cast, source.source_id)
    assert [one["eventCount"] for one in refusals["counts"]] == [9]
    assert len(refusals["lastRequests"]) == 1


def test_an_id_that_the_account_does_not_have_is_not_there(cast: Cast) -> None:
    of_books = PixelFactory.create(tenant=cast.books)
    assert asked(cast, of_books.pixel_id).refused(404)
    assert asked(cast, "x").refused(404)
