"""``incidents``: what is wrong, by GraphQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Incident, RuleName
from tests.base import Caller, Cast, client_of
from tests.factories import DestinationFactory, PixelFactory, SourceFactory
from tests.operations import run

pytestmark = pytest.mark.django_db


def opened(tenant: Any, rule: str, subject: str, hours: int = 1, **values: Any) -> Incident:
    at = timezone.now() - timedelta(hours=hours)
    given = {"opened_at": at, "updated_at": at, "facts": {"name": "Shop"}} | values
    return Incident.objects.create(tenant=tenant, rule=rule, subject=subject, **given)


def told(caller: Caller, **asked: Any) -> list[dict[str, Any]]:
    answer = run(client_of(caller), "incidents", **asked)
    assert not answer.errors, answer.errors
    return [edge["node"] for edge in answer.body["data"]["incidents"]["edges"]]


def test_an_accounts_incidents_say_what_is_wrong_what_to_do_and_where(cast: Cast, settings: Any) -> None:
    settings.BASE_URL = "https://gateway.example.com"
    pixel = PixelFactory.create(tenant=cast.shoes, pixel_id="4711")
    row = opened(cast.shoes, "token", "pixel 4711", pixel=pixel)
    opened(cast.other, "token", "pixel 4712")

    assert told(cast.robot, tenantId=cast.shoes.pk) == [
        {
            "id": str(row.pk),
            "rule": "TOKEN",
            "tenantId": cast.shoes.pk,
            "pixelId": "4711",
            "destinationId": None,
            "title": "Access token rejected",
            "what": "Meta rejects the access token of Shop. Its events wait.",
            "remedy": "Make a new token in Events Manager and give it to the pixel: waiting events are then sent.",
            "link": f"https://gateway.example.com/hub/capig/pixels/4711/token/?tenant={cast.shoes.pk}",
            "openedAt": str(int(row.opened_at.timestamp() * 1000)),
            "updatedAt": str(int(row.opened_at.timestamp() * 1000)),
            "closedAt": None,
        }
    ]


def test_sources_and_destinations_are_told_by_their_ids(cast: Cast) -> None:
    source, destination = SourceFactory.create(tenant=cast.shoes), DestinationFactory.create(tenant=cast.shoes)
    opened(cast.shoes, "refused", f"source {source.source_id}", 2)
    opened(cast.shoes, "waiting", f"destination {destination.uuid}", 1)

    found = [(one["pixelId"], one["destinationId"]) for one in told(cast.vic, tenantId=cast.shoes.pk)]
    assert found == [(None, f"sg_v1_dd_{destination.uuid}"), (source.source_id, None)]


def test_open_ones_those_that_are_over_and_those_of_a_rule(cast: Cast) -> None:
    now = timezone.now()
    opened(cast.shoes, "token", "pixel 1", 3)
    opened(cast.shoes, "silence", "pixel 1", 2, closed_at=now)
    opened(cast.shoes, "silence", "pixel 2", 1)

    def rules(**asked: Any) -> list[str]:
        return [one["rule"] for one in told(cast.ada, tenantId=cast.shoes.pk, **asked)]

    assert rules() == ["SILENCE", "SILENCE", "TOKEN"]
    assert rules(open=True) == ["SILENCE", "TOKEN"]
    assert rules(open=False) == ["SILENCE"]
    assert rules(rule="TOKEN") == ["TOKEN"]
    assert rules(rule="DOMAIN") == []


def test_without_an_account_each_sees_what_is_open_to_them(cast: Cast) -> None:
    opened(cast.shoes, "token", "pixel 1", 3)
    opened(cast.books, "token", "pixel 2", 2)
    opened(None, "disk", "instance", 1)

    assert [one["tenantId"] for one in told(cast.robot)] == [None, cast.shoes.pk]
    assert [one["tenantId"] for one in told(cast.ada)] == [cast.shoes.pk]
    assert [one["tenantId"] for one in told(cast.bea)] == [cast.books.pk]


def test_pages_go_on_where_the_last_one_ended(cast: Cast) -> None:
    rows = [opened(cast.shoes, "token", f"pixel {number}", number) for number in (1, 2, 3)]
    rows.append(opened(cast.shoes, "token", "pixel 4", opened_at=rows[-1].opened_at - timedelta(microseconds=1)))
    seen, after, previous, info = [], None, [], {"hasNextPage": True}
    for _ in range(4):
        page = run(client_of(cast.robot), "incidents", tenantId=cast.shoes.pk, first=1, after=after)
        edges, info = page.body["data"]["incidents"]["edges"], page.body["data"]["incidents"]["pageInfo"]
        seen.append(edges[0]["node"]["id"])
        previous.append(info["hasPreviousPage"])
        after = info["endCursor"]

    assert seen == [str(row.pk) for row in rows]
    assert previous == [False, True, True, True]
    assert not info["hasNextPage"]


def test_what_a_later_version_has_written_is_not_told(cast: Cast) -> None:
    opened(cast.shoes, "of_a_later_version", "pixel 1")
    assert told(cast.robot, tenantId=cast.shoes.pk) == []


@pytest.mark.parametrize("rule", RuleName, ids=str)
def test_every_rule_can_be_told(cast: Cast, rule: RuleName) -> None:
    opened(cast.shoes, rule, "pixel 1")
    assert told(cast.robot, tenantId=cast.shoes.pk)[0]["rule"] == rule.name


@pytest.mark.parametrize("asked", [{"first": 0}, {"first": 201}, {"after": "nonsense"}], ids=["0", "201", "cursor"])
def test_a_page_that_makes_no_sense_is_refused(cast: Cast, asked: dict[str, Any]) -> None:
    assert run(client_of(cast.robot), "incidents", **asked).refused(400)
