"""Events in Django admin: what staff see, and what they can do about what is stuck."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry
from events.figures.counting import Tally
from events.models import DeadLetter, DestinationIdentity, Identity, Lane, OutboxRow, SeenId, SeenLabel
from pixels.models import Pixel
from tests.base import Cast, login
from tests.factories import DeadLetterFactory, DeliveryFactory, OutboxRowFactory, PixelFactory

LISTS = ["deliverybatch", "deadletter", "outboxrow", "lane", "counter"]


@pytest.fixture
def staff(cast: Cast) -> Client:
    return login(cast.hanna)


def fill(pixel: Pixel) -> None:
    """Something in every list."""
    DeliveryFactory.create(pixel=pixel)
    DeadLetterFactory.create(pixel=pixel)
    OutboxRowFactory.create(pixel=pixel)
    Lane.objects.create(pixel=pixel)
    tally = Tally()
    tally.add(timezone.now(), "Purchase", "", "received")
    tally.write(pixel.pk)


def page(staff: Client, model: str, query: str = "") -> str:
    response = staff.get(f"/admin/events/{model}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def act(staff: Client, model: str, action: str, *rows: Any) -> str:
    response = staff.post(
        f"/admin/events/{model}/", {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True
    )
    return response.content.decode()


@pytest.mark.parametrize("model", LISTS)
def test_every_list_shows_the_accounts_that_are_open_to_staff(cast: Cast, staff: Client, model: str) -> None:
    fill(PixelFactory.create(tenant=cast.shoes, pixel_id="1110001110001"))
    fill(PixelFactory.create(tenant=cast.books, pixel_id="2220002220002"))

    shown = page(staff, model)

    assert "1110001110001" in shown
    assert "2220002220002" not in shown


@pytest.mark.parametrize("model", LISTS)
def test_every_row_can_be_looked_at_and_not_changed(cast: Cast, staff: Client, model: str) -> None:
    fill(PixelFactory.create(tenant=cast.shoes))
    row = admin.site._registry[_model(model)].model._default_manager.first()

    shown = page(staff, model, f"{row.pk}/change/")

    assert 'name="_save"' not in shown
    assert staff.get(f"/admin/events/{model}/add/").status_code == 403
    assert staff.post(f"/admin/events/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def _model(name: str) -> Any:
    return next(model for model in admin.site._registry if model._meta.model_name == name)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_is_searched_by_pixel(cast: Cast, staff: Client, model: str) -> None:
    for pixel_id in ("111", "1112"):
        fill(PixelFactory.create(tenant=cast.shoes, pixel_id=pixel_id))

    shown = page(staff, model, "?q=111")

    assert ">111<" in shown
    assert ">1112<" not in shown


@pytest.mark.parametrize("model", LISTS)
def test_no_list_is_read_or_counted_whole(
    cast: Cast, staff: Client, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.service_admin.ServiceAdmin.list_per_page", 1)
    for _ in range(2):
        fill(PixelFactory.create(tenant=cast.shoes))

    with CaptureQueriesContext(connection) as queries:
        page(staff, model)

    table = f'FROM "events_{model}"'
    lists = [query["sql"] for query in queries if table in query["sql"]]
    assert lists
    assert [sql for sql in lists if "LIMIT" not in sql] == []
    assert not [sql for sql in lists if any(f'"{column}"' in sql for column in ("access_token", "body", "event"))]


@pytest.mark.parametrize("rows", [1, 40])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(cast: Cast, staff: Client, rows: int) -> None:
    for _ in range(rows):
        DeliveryFactory.create(pixel=PixelFactory.create(tenant=cast.shoes))
    page(staff, "deliverybatch")

    with CaptureQueriesContext(connection) as queries:
        page(staff, "deliverybatch")

    assert len([query for query in queries if "events_deliverybatch" in query["sql"]]) == 2


def test_counting_stops_at_a_thousand_rows(cast: Cast, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.service_admin.NewestPaginator.ROWS", 3)
    DeliveryFactory.create_batch(5, pixel=PixelFactory.create(tenant=cast.shoes))

    response = staff.get("/admin/events/deliverybatch/")

    assert response.context["cl"].result_count == 3


def test_no_page_shows_what_events_say_of_visitors(cast: Cast, staff: Client) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    event = b'{"user_data": {"em": ["5d41402abc"], "client_ip_address": "203.0.113.7"}, "event_id": "no-secret"}'
    letter = DeadLetterFactory.create(pixel=pixel, event=event)
    row = OutboxRowFactory.create(pixel=pixel, body=b"[%b]" % event, event_count=1)

    letters, rows = page(staff, "deadletter", f"{letter.pk}/change/"), page(staff, "outboxrow", f"{row.pk}/change/")

    assert "no-secret" in letters
    assert "Meta refused an event&#x27;s content" in letters
    for text in ("5d41402abc", "203.0.113.7"):
        assert text not in letters + rows
    assert "no-secret" not in rows


@pytest.mark.parametrize("model", [Identity, DestinationIdentity, SeenId, SeenLabel])
def test_visitors_and_labels_have_no_page(model: Any) -> None:
    assert model not in admin.site._registry


def test_staff_replay_dead_letters(cast: Cast, staff: Client) -> None:
    letters = DeadLetterFactory.create_batch(3, pixel=PixelFactory.create(tenant=cast.shoes))

    shown = act(staff, "deadletter", "replay", *letters[:2])

    assert "2 events wait to be published again." in shown
    assert list(DeadLetter.objects.all()) == letters[2:]
    assert OutboxRow.objects.count() == 2
    assert set(AuditEntry.objects.values_list("actor", "act")) == {("hanna@example.com", "replay dead letter")}


def test_staff_discard_dead_letters(cast: Cast, staff: Client) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.shoes)

    assert "1 events discarded." in act(staff, "deadletter", "discard", letter)
    assert (DeadLetter.objects.count(), OutboxRow.objects.count()) == (0, 0)


def test_staff_let_a_held_pixel_go(cast: Cast, staff: Client, django_capture_on_commit_callbacks: Any) -> None:
    lane = Lane.objects.create(pixel=PixelFactory.create(tenant=cast.shoes), held=True, failures=9)

    with django_capture_on_commit_callbacks(execute=True):
        shown = act(staff, "lane", "try_now", lane)

    assert "1 pixels publish now." in shown
    lane.refresh_from_db()
    assert (lane.held, lane.failures, lane.retry_at) == (False, 0, None)


def test_what_is_closed_to_staff_cannot_be_acted_on(cast: Cast, staff: Client) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.books)

    act(staff, "deadletter", "discard", letter)

    assert DeadLetter.objects.get() == letter


@pytest.mark.parametrize("path", ["pixels/pixel/{pixel.pk}", "accounts/tenant/{pixel.tenant_id}"])
def test_before_a_deletion_counters_are_not_read(cast: Cast, staff: Client, path: str) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, pixel_id="1110001110001")
    fill(pixel)

    with CaptureQueriesContext(connection) as queries:
        response = staff.get(f"/admin/{path.format(pixel=pixel)}/delete/")

    assert response.status_code == 200
    assert not [query["sql"] for query in queries if '"events_' in query["sql"]]
