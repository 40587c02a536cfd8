"""GET /api/usage: the export for billing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events.models import DisconnectedUsage, Road
from pixels.services import disconnect_pixel
from tests.base import Cast, bearer, client_of, snapshot
from tests.base import tenant as make_tenant
from tests.events.counted import NOW, ago, count
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

URL = "/api/usage"
NO_BROWSER = {"browserReceived": 0, "browserPublished": 0}
NOVEMBER = {"from": "2026-11-01", "to": "2026-11-30"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def get(caller: Any, **parameters: str) -> Any:
    return client_of(caller).get(URL, {**NOVEMBER, **parameters})


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def rows(caller: Any, **parameters: str) -> list[dict[str, Any]]:
    response = get(caller, **parameters)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    return list(json.loads(body(response))["usage"])


@pytest.fixture
def traffic(cast: Cast) -> None:
    """Shoes has two pixels and two days, Books one."""
    one, two = PixelFactory.create_batch(2, tenant=cast.shoes)
    books = PixelFactory.create(tenant=cast.books)
    for pixel in (one, two, books):
        count(pixel, ago(hours=1), n=10)
        count(pixel, ago(hours=1), "published", 9)
    count(one, ago(days=20), n=7)
    count(one, ago(days=21), n=1_000)


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("name", ["hanna", "milo", "vera", "robot"])
def test_the_host_gets_every_account_by_day_in_one_call(cast: Cast, name: str) -> None:
    assert rows(getattr(cast, name)) == [
        {
            "tenantId": cast.books.pk,
            "name": "Books",
            "day": "2026-11-21",
            "received": 10,
            "published": 9,
            **NO_BROWSER,
        },
        {
            "tenantId": cast.shoes.pk,
            "name": "Shoes",
            "day": "2026-11-01",
            "received": 7,
            "published": 0,
            **NO_BROWSER,
        },
        {
            "tenantId": cast.shoes.pk,
            "name": "Shoes",
            "day": "2026-11-21",
            "received": 20,
            "published": 18,
            **NO_BROWSER,
        },
    ]


@pytest.mark.usefixtures("traffic")
def test_an_accounts_people_get_their_own(cast: Cast) -> None:
    assert {row["name"] for row in rows(cast.bibi)} == {"Books"}
    assert {row["name"] for row in rows(cast.vic)} == {"Shoes"}
    assert rows(cast.olaf) == []


@pytest.mark.usefixtures("traffic")
def test_what_a_disconnected_pixel_has_received_is_billed_all_the_same(cast: Cast) -> None:
    before = rows(cast.robot)

    for pixel in cast.shoes.pixels.all():
        disconnect_pixel(principal=OPERATOR, tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id)
    assert rows(cast.robot) == before

    count(PixelFactory.create(tenant=cast.shoes), NOW, n=5)
    assert {row["day"]: row["received"] for row in rows(cast.ada)} == {"2026-11-01": 7, "2026-11-21": 25}
    assert [row["name"] for row in rows(cast.bea)] == ["Books"]


def test_what_came_from_browsers_is_told_beside_both_roads_also_of_disconnected_pixels(cast: Cast) -> None:
    pixel, other = PixelFactory.create_batch(2, tenant=cast.shoes)
    for column, by_server, by_browser in (("received", 10, 5), ("published", 9, 4)):
        count(pixel, ago(hours=1), column, by_server)
        count(pixel, ago(hours=1), column, by_browser, road=Road.BROWSER)
    told = {"received": 15, "published": 13, "browserReceived": 5, "browserPublished": 4}

    assert rows(cast.robot) == [{"tenantId": cast.shoes.pk, "name": "Shoes", "day": "2026-11-21", **told}]
    disconnect_pixel(principal=OPERATOR, tenant_id=cast.shoes.pk, pixel_id=pixel.pixel_id)
    assert rows(cast.robot) == [{"tenantId": cast.shoes.pk, "name": "Shoes", "day": "2026-11-21", **told}]

    count(other, ago(hours=2), n=3, road=Road.BROWSER)
    disconnect_pixel(principal=OPERATOR, tenant_id=cast.shoes.pk, pixel_id=other.pixel_id)
    assert {row["received"]: row["browserReceived"] for row in rows(cast.robot)} == {18: 8}


@pytest.mark.usefixtures("traffic")
def test_with_the_account_its_usage_is_deleted(cast: Cast) -> None:
    disconnect_pixel(principal=OPERATOR, tenant_id=cast.shoes.pk, pixel_id=cast.shoes.pixels.all()[0].pixel_id)

    delete_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk)

    assert {row["name"] for row in rows(cast.robot)} == {"Books"}
    assert not DisconnectedUsage.objects.exists()


@pytest.mark.usefixtures("traffic")
def test_both_ends_count(cast: Cast) -> None:
    def days(first: str, last: str) -> list[str]:
        return sorted({row["day"] for row in rows(cast.robot, **{"from": first, "to": last})})

    assert days("2026-11-01", "2026-11-21") == ["2026-11-01", "2026-11-21"]
    assert days("2026-11-02", "2026-11-20") == []
    assert days("2026-11-21", "2026-11-21") == ["2026-11-21"]


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(("parameters", "accept"), [({"format": "csv"}, "*/*"), ({}, "text/csv")])
def test_csv_for_those_who_ask_for_it(cast: Cast, parameters: dict[str, str], accept: str) -> None:
    response = client_of(cast.robot).get(URL, {**NOVEMBER, **parameters}, headers={"Accept": accept})

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="usage-2026-11-01-2026-11-30.csv"'
    assert list(csv.reader(StringIO(body(response).decode()))) == [
        ["tenantId", "name", "day", "received", "published", "browserReceived", "browserPublished"],
        [cast.books.pk, "Books", "2026-11-21", "10", "9", "0", "0"],
        [cast.shoes.pk, "Shoes", "2026-11-01", "7", "0", "0", "0"],
        [cast.shoes.pk, "Shoes", "2026-11-21", "20", "18", "0", "0"],
    ]


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "text/html, */*;q=0.8", "application/*, text/csv;q=0.1"]
)
def test_json_for_all_others(cast: Cast, accept: str) -> None:
    response = client_of(cast.robot).get(URL, NOVEMBER, headers={"Accept": accept} if accept else {})

    assert (response.headers["Content-Type"], body(response)) == ("application/json", b'{"usage":[]}')


@pytest.mark.usefixtures("traffic")
def test_the_format_beats_the_accept_header(cast: Cast) -> None:
    response = client_of(cast.robot).get(URL, {**NOVEMBER, "format": "json"}, headers={"Accept": "text/csv"})

    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)"])
def test_a_name_is_no_formula_in_a_spreadsheet(cast: Cast, name: str) -> None:
    evil = make_tenant(name)
    count(PixelFactory.create(tenant=evil), NOW)

    _, row = csv.reader(StringIO(body(get(cast.robot, format="csv")).decode()))

    assert row[1] == f"'{name}"
    assert [row["name"] for row in rows(cast.robot)] == [name]


def test_names_with_commas_quotes_and_letters_of_any_script_come_through(cast: Cast) -> None:
    name = 'Müller, "Söhne" & 株式会社'
    count(PixelFactory.create(tenant=make_tenant(name)), NOW)

    _, row = csv.reader(StringIO(body(get(cast.robot, format="csv")).decode()))

    assert row[1] == name


def test_an_export_is_one_query_besides_signing_in(cast: Cast) -> None:
    for number in range(10):
        count(PixelFactory.create(tenant=make_tenant(f"Account {number}")), NOW)
    client = client_of(cast.robot)

    with CaptureQueriesContext(connection) as queries:
        assert len(json.loads(body(client.get(URL, NOVEMBER)))["usage"]) == 10

    assert len([query for query in queries if query["sql"].startswith(("SELECT", "DECLARE"))]) == 2


def test_a_browser_session_may_read_it(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.hanna)

    assert client.get(URL, NOVEMBER).status_code == 200


def test_a_token_beats_a_session(cast: Cast) -> None:
    client = Client(headers={"Authorization": "Bearer wrong"})
    client.force_login(cast.hanna)

    assert client.get(URL, NOVEMBER).status_code == 401


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer", "Bearer \xff", "Basic Um9ib3Q6c2VjcmV0"])
def test_nobody_is_refused_in_json(db: None, authorization: str | None) -> None:
    response = Client(headers={"Authorization": authorization} if authorization else {}).get(URL, NOVEMBER)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.json() == {
        "error": {"message": "Sign in: send a bearer token from POST /clients/token.", "code": 401}
    }


def test_an_expired_token_is_nobodys(cast: Cast) -> None:
    assert get(bearer(cast.robot, lifetime=-timedelta(seconds=1))).status_code == 401


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("from", {"from": ""}),
        ("from", {"from": "2026-02-30"}),
        ("from", {"from": "2026-1-1"}),
        ("from", {"from": "20261101"}),
        ("from", {"from": "2026-W47-6"}),
        ("from", {"from": "２０２６-11-01"}),
        ("from", {"from": "2026-11-01T00:00"}),
        ("from", {"from": "\0"}),
        ("from", {"from": "9" * 10_000}),
        ("to", {"to": "tomorrow"}),
        ("to", {"to": "2026-10-31"}),
        ("to", {"from": "2025-01-01", "to": "2026-02-05"}),
        ("format", {"format": "xml"}),
    ],
)
def test_bad_input_names_the_field(cast: Cast, field: str, parameters: dict[str, str]) -> None:
    response = get(cast.robot, **parameters)

    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["field"]) == (400, field)
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("missing", ["from", "to"])
def test_both_days_are_required(cast: Cast, missing: str) -> None:
    response = client_of(cast.robot).get(URL, {name: day for name, day in NOVEMBER.items() if name != missing})

    assert (response.status_code, response.json()["error"]["field"]) == (400, missing)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2025-01-01", "2026-02-04"), ("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31")],
)
def test_400_days_and_the_ends_of_the_calendar_are_fine(cast: Cast, first: str, last: str) -> None:
    assert rows(cast.robot, **{"from": first, "to": last}) == []
    assert (date.fromisoformat(last) - date.fromisoformat(first)).days < 400


def test_reading_changes_nothing(cast: Cast) -> None:
    client = client_of(cast.robot)
    before = snapshot()

    body(client.get(URL, NOVEMBER))

    assert snapshot() == before
    assert client.post(URL, NOVEMBER).status_code == 405
