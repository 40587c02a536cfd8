"""POST /capi/<pixel id>/events: what is answered, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import TenantStatus
from common.http import Request
from events.intake import door
from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import Reply, ask, post, purchase, send, stored, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


# --- Accepted --------------------------------------------------------------------------------------------------------


def test_events_are_stored_and_answered_with_202(pixel: Pixel) -> None:
    reply = send(pixel, purchase(event_id="a"), purchase(event_id="b"))

    assert reply.status == 202
    assert reply.body.keys() == {"events_received", "messages", "fbtrace_id"}
    assert reply.body["events_received"] == 2
    assert reply.body["messages"] == []
    assert reply.body["fbtrace_id"]
    row = OutboxRow.objects.get()
    assert (row.pixel, row.event_count, row.intake, row.counted, row.options) == (pixel, 2, 0, False, "")
    assert timezone.now() - row.received_at < timedelta(seconds=10)


def test_an_event_to_which_nothing_need_be_added_is_stored_as_it_came(pixel: Pixel) -> None:
    event = purchase(
        custom_data={"value": 19.990, "contents": [{"id": "é", "n": 2**63}], "x": None, "http://y": True},
        data_processing_options=["LDU"],
    )

    send(pixel, event)

    assert stored(pixel) == [[event]]


def test_events_keep_their_order(pixel: Pixel) -> None:
    events = [purchase(event_id=f"order-{number}") for number in range(50)]

    send(pixel, *events)

    assert stored(pixel) == [events]


@pytest.mark.parametrize("value", [None, ""])
def test_an_event_without_an_id_is_given_one(pixel: Pixel, value: str | None) -> None:
    events = [purchase(event_id=None) | ({} if value is None else {"event_id": value}) for _ in range(2)]

    send(pixel, *events)

    first, second = (event["event_id"] for event in stored(pixel)[0])
    assert first.startswith("gateway-")
    assert first != second


def test_an_id_that_is_a_number_is_kept_as_its_text(pixel: Pixel) -> None:
    send(pixel, purchase(event_id=4711))

    assert stored_event(pixel)["event_id"] == "4711"


def test_plain_identifiers_are_hashed_before_they_are_stored(pixel: Pixel) -> None:
    send(pixel, purchase(user_data={"em": " John_Smith@gmail.com", "ph": ["(650)555-1212"], "client_user_agent": "x"}))

    body = bytes(OutboxRow.objects.get().body)
    assert b"62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f" in body
    assert b"smith" not in body.lower()
    assert b"555-1212" not in body
    assert b"5551212" not in body


def test_what_a_switched_off_pixel_is_sent_is_accepted_and_marked(pixel: Pixel) -> None:
    Pixel.objects.update(event_bridge_active=False)

    assert send(pixel, purchase()).status == 202
    assert OutboxRow.objects.get().intake == OutboxRow.Intake.RECEIVING_OFF


def test_what_else_the_graph_api_is_to_be_told_is_kept(pixel: Pixel) -> None:
    send(pixel, purchase(), test_event_code="TEST1", partner_agent="shop", upload_id=7, upload_tag=None, other="x")

    assert json.loads(OutboxRow.objects.get().options) == {
        "test_event_code": "TEST1",
        "partner_agent": "shop",
        "upload_id": "7",
    }


@pytest.mark.parametrize("value", [1.5, ["TEST"], {"a": 1}, "a\nb", "x" * 500, True])
def test_an_option_that_cannot_be_kept_refuses_the_request(pixel: Pixel, value: Any) -> None:
    reply = send(pixel, purchase(), test_event_code=value)

    assert reply.status == 400
    assert reply.message.startswith("test_event_code: ")


# --- The access key --------------------------------------------------------------------------------------------------


def test_the_access_key_is_not_needed_unless_the_pixel_requires_it(pixel: Pixel) -> None:
    assert send(pixel, purchase()).status == 202
    assert send(pixel, purchase(), accessKey="").status == 202
    assert send(pixel, purchase(), accessKey=None).status == 202


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("key", ["wrong", "é", 12, ["x"], False])
def test_a_wrong_access_key_is_refused_in_either_case(required: bool, key: Any) -> None:
    pixel = PixelFactory.create(require_access_key=required)

    reply = send(pixel, purchase(), accessKey=key)

    assert reply.status == 401
    assert reply.message.startswith("accessKey: ")
    assert reply.body["error"]["code"] == 190
    assert pixel.access_key not in json.dumps(reply.body)
    assert not OutboxRow.objects.exists()


def test_a_pixel_that_requires_its_access_key_refuses_who_has_none() -> None:
    pixel = PixelFactory.create(require_access_key=True)

    assert send(pixel, purchase()).status == 401
    assert send(pixel, purchase(), accessKey=pixel.access_key).status == 202


def test_whoever_has_the_wrong_key_learns_nothing_about_the_events(pixel: Pixel) -> None:
    assert send(pixel, {"bad": 1}, accessKey="wrong").status == 401


# --- Not there -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel_id", ["404", "abc", "1" * 21, "%00", "12%0A", "١٢", "..", "-1"])
def test_an_unknown_pixel_is_not_found(pixel_id: str) -> None:
    reply = send(pixel_id, purchase())

    assert reply.status == 404
    assert reply.body["error"]["code"] == 100


def test_a_deactivated_account_answers_as_if_there_were_no_such_pixel(pixel: Pixel) -> None:
    unknown = send("404", purchase())
    pixel.tenant.status = TenantStatus.DEACTIVATED
    pixel.tenant.save(update_fields=["status"])

    reply = send(pixel, purchase(), accessKey="wrong")

    assert (reply.status, reply.message) == (unknown.status, unknown.message)
    assert not OutboxRow.objects.exists()


def test_an_account_that_is_being_set_up_receives() -> None:
    pixel = PixelFactory.create(tenant__status=TenantStatus.PENDING)

    assert send(pixel, purchase()).status == 202


@pytest.mark.django_db(transaction=True)
def test_a_pixel_that_goes_while_its_events_come_is_not_found() -> None:
    pixel: Pixel = PixelFactory.create()
    assert send(pixel, purchase()).status == 202
    OutboxRow.objects.all().delete()
    Pixel.objects.all()._raw_delete("default")  # as another process does: this one does not hear of it

    assert send(pixel, purchase()).status == 404
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_allowed(pixel: Pixel, method: str) -> None:
    reply = ask(method, f"/capi/{pixel.pixel_id}/events")

    assert reply.status == 405
    assert "POST" in reply.headers["Allow"]
    assert is_the_graph_apis(reply)


@pytest.mark.parametrize("path", ["/capi/", "/capi/1", "/capi/1/events/2", "/capi/1/pages", "/capi//"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_nothing_is_the_answer_is_the_graph_apis_too(path: str, method: str) -> None:
    reply = ask(method, path)

    assert reply.status == 404
    assert is_the_graph_apis(reply)


def is_the_graph_apis(reply: Reply) -> bool:
    """Is it an error that a client of the Graph API reads, and a page of any site may read?"""
    return (
        reply.headers["Content-Type"] == "application/json"
        and reply.headers["Access-Control-Allow-Origin"] == "*"
        and reply.body["error"].keys() == {"message", "type", "code", "error_subcode", "fbtrace_id"}
    )


# --- Refused ---------------------------------------------------------------------------------------------------------


def test_one_bad_event_refuses_the_request_in_the_graph_apis_form(pixel: Pixel) -> None:
    reply = send(pixel, purchase(), purchase(), purchase(), purchase(event_time=1))

    assert reply.status == 400
    error = reply.body["error"]
    assert error.keys() == {"message", "type", "code", "error_subcode", "fbtrace_id"}
    assert error["message"].startswith("data[3].event_time: ")
    assert (error["type"], error["code"]) == ("OAuthException", 100)
    assert isinstance(error["error_subcode"], int)
    assert not OutboxRow.objects.exists()


def test_at_most_as_many_events_as_meta_takes(pixel: Pixel) -> None:
    event = purchase()

    assert send(pixel, *[event] * 1000).status == 202
    refused = send(pixel, *[event] * 1001)

    assert (refused.status, refused.message) == (400, "data: must hold 1 to 1,000 events.")
    assert OutboxRow.objects.get().event_count == 1000


def test_a_body_beyond_the_limit_is_refused(pixel: Pixel, settings: Settings) -> None:
    body = json.dumps({"data": [purchase()]})
    settings.INTAKE_MAX_BODY_BYTES = len(body)

    assert post(pixel, body).status == 202
    refused = post(pixel, body + " ")

    assert refused.status == 413
    assert refused.message == f"body: must have at most {len(body):,} bytes."


@pytest.mark.parametrize("content_length", [None, "0", "10"])
def test_the_bytes_of_a_body_count_and_not_what_its_header_says(
    pixel: Pixel, settings: Settings, content_length: str | None
) -> None:
    settings.INTAKE_MAX_BODY_BYTES = 1000
    length = {"content-length": content_length} if content_length else {"transfer-encoding": "chunked"}

    def answer(body: bytes) -> int:
        path = f"/capi/{pixel.pixel_id}/events"
        return door.answer(
            Request("POST", path, "", {"host": "localhost", **length}, BytesIO(body), "192.0.2.1")
        ).status

    assert answer(json.dumps({"data": [purchase()]}).encode()) == 202
    assert answer(json.dumps({"data": [purchase()]}).encode().ljust(1001)) == 413


@pytest.mark.parametrize("where", ["events.intake.outbox._insert", "events.intake.receive.get_pixel_settings"])
def test_a_database_that_refuses_is_told_as_a_passing_fault(pixel: Pixel, where: str) -> None:
    with patch(where, side_effect=OperationalError("database or disk is full")):
        reply = send(pixel, purchase())

    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.body["error"]["code"] == 2
    assert "disk" not in reply.message


def test_a_fault_of_ours_is_logged_and_tells_nothing_but_where(pixel: Pixel, caplog: pytest.LogCaptureFixture) -> None:
    with patch("events.intake.receive.parse", side_effect=ZeroDivisionError("of ada@example.com")):
        reply = send(pixel, purchase())

    assert reply.status == 500
    assert is_the_graph_apis(reply)
    (record,) = caplog.records
    assert reply.message == f"Internal error {record.error_id}."  # type: ignore[attr-defined]  # from ``extra``
    assert record.exc_info
    assert not OutboxRow.objects.exists()


# --- Cost ------------------------------------------------------------------------------------------------------------


def test_a_request_costs_one_insert(
    pixel: Pixel, django_assert_max_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(pixel, purchase())
    rows: list[Any] = []
    monkeypatch.setattr("events.intake.outbox._insert", lambda *args, **kwargs: rows.append(args))

    with django_assert_max_num_queries(0):
        send(pixel, *[purchase() for _ in range(10)])

    assert len(rows) == 1


def test_the_insert_is_a_statement_of_its_own(pixel: Pixel, query_log: Callable[[], list[str]]) -> None:
    send(pixel, purchase())

    statements = query_log()
    send(pixel, purchase())

    assert [sql.split()[0] for sql in query_log()[len(statements) :]] == ["INSERT"]


@pytest.fixture
def query_log(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """The statements that reach the driver, by whichever way."""
    statements: list[str] = []
    if connection.vendor == "postgresql":
        import psycopg

        def execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append((query.decode() if isinstance(query, bytes) else str(query)).strip())
            return original(cursor, query, *args, **kwargs)

        original = psycopg.Cursor.execute
        monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    else:
        connection.ensure_connection()
        connection.connection.set_trace_callback(lambda sql: statements.append(sql.strip()))
    yield lambda: list(statements)
    if connection.vendor == "sqlite":
        connection.connection.set_trace_callback(None)
