"""How to send events: the address, the snippets as they are pasted, the access key, and a test event to watch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import AuditEntry, IngressDomain, TenantStatus
from events.delivery.publishing import drain
from events.models import Delivery, OutboxRow
from events.sandbox import rules
from pixels.models import Pixel
from tests.base import Cast, login, make_cast, snapshot
from tests.events.sending import stored_event
from tests.factories import DeliveryFactory, EventFilterFactory, IngressDomainFactory, PixelFactory
from tests.pages import address, get, post, see, text_of


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, pixel_id="555001")


def snippets(answer: Any) -> dict[str, str]:
    return {name: text for name, _title, text in answer.context["snippets"]}


# --- Address and snippets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begins", ["&lt;?php", "curl http"])
def test_a_snippet_is_shown_from_its_first_letter_on(cast: Cast, pixel: Pixel, begins: str) -> None:
    """Browsers take "<?php" in a page for a comment, which ends with the first arrow of an array."""
    assert f">{begins}" in get(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id).content.decode()


def test_the_address_and_every_snippet_have_the_real_url(cast: Cast, pixel: Pixel, settings: Any) -> None:
    answer = get(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id)
    url = f"{settings.BASE_URL}/capi/555001/events"
    assert answer.context["url"] == url
    assert {name for name, text in snippets(answer).items() if url in text} == {"curl", "python", "php"}


def test_with_data_routing_in_order_it_is_the_accounts_own_domain(cast: Cast, pixel: Pixel) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, ingress="events.shoes.example", status=IngressDomain.Status.VERIFIED)
    answer = get(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id)
    assert answer.context["url"] == "https://events.shoes.example/capi/555001/events"


def test_the_key_stands_in_the_snippets_where_it_is_required_for_those_who_may_know_it(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, require_access_key=True)
    shown = snippets(get(cast.max, "pixels:sending", cast.shoes, pixel.pixel_id))
    assert all(pixel.access_key in text for text in shown.values())

    answer = get(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id)
    assert all("YOUR_ACCESS_KEY" in text for text in snippets(answer).values())
    assert pixel.access_key not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize(("name", "command"), [("curl", ["bash", "-s"]), ("python", [sys.executable, "-"])])
def test_a_snippet_works_as_it_stands(
    live_server: LiveServer, settings: Any, name: str, command: list[str], required: bool
) -> None:
    settings.BASE_URL = live_server.url
    cast = make_cast()
    pixel = PixelFactory.create(tenant=cast.shoes, require_access_key=required)
    code = snippets(get(cast.max, "pixels:sending", cast.shoes, pixel.pixel_id))[name]

    done = subprocess.run(command, input=code, capture_output=True, text=True, timeout=30, check=True)

    answer = json.loads(done.stdout)
    assert (answer if isinstance(answer, int) else answer["events_received"]) == 1
    assert OutboxRow.objects.get().event_count == 1


# --- The access key ---------------------------------------------------------------------------------------------------


def test_the_access_key_is_there_to_copy_for_those_who_may_change_it(cast: Cast, pixel: Pixel) -> None:
    page = get(cast.max, "pixels:sending", cast.shoes, pixel.pixel_id).content.decode()
    assert f'value="{pixel.access_key}"' in page
    assert 'data-copy="#access-key"' in page
    assert pixel.access_key not in get(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id).content.decode()


# --- A test event -----------------------------------------------------------------------------------------------------


def send(who: Any, cast: Cast, pixel: Pixel, **data: str) -> Any:
    return post(who, "pixels:test_event", cast.shoes, pixel.pixel_id, **{"event_name": "PageView", **data})


def watched(answer: Any) -> str:
    found = re.search(r"event=(test-[0-9a-f]{32})#test$", answer.headers["Location"])
    assert found, answer.headers["Location"]
    return found[1]


def test_a_test_event_takes_the_way_of_all_others(cast: Cast, pixel: Pixel) -> None:
    answer = send(cast.max, cast, pixel, event_source_url="https://shop.example.com/", test_event_code="TEST123")

    event = stored_event(pixel)
    assert event["event_id"] == watched(answer)
    assert (event["event_name"], event["action_source"]) == ("PageView", "website")
    assert event["event_source_url"] == "https://shop.example.com/"
    assert json.loads(OutboxRow.objects.get().options) == {"test_event_code": "TEST123"}
    assert AuditEntry.objects.get().act == "send test event"


def test_without_an_address_it_is_of_no_website(cast: Cast, pixel: Pixel) -> None:
    send(cast.max, cast, pixel)
    assert stored_event(pixel)["action_source"] == "system_generated"
    assert OutboxRow.objects.get().options == ""


@pytest.mark.parametrize("name", ["Purchase", "PageView"])
@pytest.mark.parametrize("url", ["https://shop.example.com/", ""])
def test_meta_takes_it(cast: Cast, pixel: Pixel, name: str, url: str) -> None:
    send(cast.max, cast, pixel, event_name=name, event_source_url=url)

    assert rules.check_events([stored_event(pixel)])


def test_a_required_key_is_sent_along(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, require_access_key=True)
    send(cast.max, cast, pixel)
    assert OutboxRow.objects.count() == 1


def test_it_is_watched_until_it_has_arrived(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    event_id = watched(send(client, cast, pixel))
    page = get(client, "pixels:sending", cast.shoes, pixel.pixel_id, event=event_id)
    assert "Received; on its way to Meta" in text_of(page)
    assert 'data-poll="2"' in page.content.decode()

    DeliveryFactory.create(pixel=pixel, event_id=event_id)
    part = get(client, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)

    assert "Published Your test event has reached Meta." in text_of(part)
    assert "data-poll" not in part.content.decode()


def test_what_the_sandbox_has_is_not_said_to_be_with_meta(cast: Cast, pixel: Pixel, settings: Any) -> None:
    settings.GRAPH_API_URL = "http://127.0.0.1:8010"
    client = login(cast.max)
    page = see(client, "pixels:sending", cast.shoes, pixel.pixel_id)
    assert "stored, filtered, and published to the sandbox." in page
    event_id = watched(send(client, cast, pixel))
    page = see(client, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)
    assert "on its way to the sandbox" in page

    DeliveryFactory.create(pixel=pixel, event_id=event_id)
    page = see(client, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)

    assert "Your test event has reached the sandbox." in page
    assert "has reached Meta" not in page


def test_a_filter_that_drops_it_is_named(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=cast.shoes, event_name="PageView")
    client = login(cast.max)
    event_id = watched(send(client, cast, pixel))
    drain(pixel.pk)
    part = see(client, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)
    assert "Dropped Event filter for PageView" in part


def test_a_refusal_of_metas_is_explained(cast: Cast, pixel: Pixel) -> None:
    event_id = "test-" + "0" * 32
    DeliveryFactory.create(
        pixel=pixel, event_id=event_id, outcome=Delivery.Outcome.FAILED, code="100", detail="Bad currency"
    )
    part = see(cast.max, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)
    assert "Failed Bad currency Error 100: Meta refused an event's content" in part


def test_a_rejected_token_is_pointed_out_while_it_waits(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, bad_token=True)
    client = login(cast.max)
    event_id = watched(send(client, cast, pixel))
    part = see(client, "pixels:test_event", cast.shoes, pixel.pixel_id, event=event_id)
    assert "It waits: Meta has rejected the pixel's access token. Replace the access token" in part


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("event_name", "", "This field is required."),
        ("event_name", "a\x01b", "Must not contain control characters."),
        ("event_name", "x" * 51, "Ensure this value has at most 50 characters (it has 51)."),
        ("event_source_url", "shop", "Must be an http or https address, which an event of a website needs."),
        ("test_event_code", "x" * 600, "Must be shorter."),
        ("test_event_code", "a\x01b", "Must be a text without control characters."),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(
    cast: Cast, pixel: Pixel, field: str, value: str, words: str
) -> None:
    client = login(cast.max)
    before = snapshot()
    typed = {"event_name": "Lead", "event_source_url": "https://kept.example/", "test_event_code": "TEST1"}
    answer = send(client, cast, pixel, **typed | {field: value})
    assert answer.status_code == 400
    assert answer.context["form"].errors == {field: [words]}
    page = answer.content.decode()
    assert not [text for name, text in typed.items() if name != field and f'value="{text}"' not in page]
    assert snapshot() == before


@pytest.mark.parametrize("event", ["", "test-", "' OR 1=1", "nul\0"])
def test_an_id_that_is_none_shows_nothing(cast: Cast, pixel: Pixel, event: str) -> None:
    assert "on its way" not in see(cast.max, "pixels:sending", cast.shoes, pixel.pixel_id, event=event)


@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_only_look_send_nothing(cast: Cast, pixel: Pixel, who: str, status: int) -> None:
    client = login(getattr(cast, who))
    before = snapshot()
    assert send(client, cast, pixel).status_code == status
    assert snapshot() == before


def test_a_deactivated_account_takes_no_test_event(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    client = login(cast.hanna)
    before = snapshot()
    answer = send(client, cast, pixel)
    assert answer.status_code == 400
    assert "This pixel is not connected to this gateway." in text_of(answer)
    assert snapshot() == before


def test_another_accounts_pixel_cannot_be_reached_through_ones_own(cast: Cast) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    client = login(cast.max)
    before = snapshot()
    send(client, cast, foreign)
    assert client.get(address("pixels:test_event", cast.shoes, foreign.pixel_id)).status_code == 404
    assert snapshot() == before
