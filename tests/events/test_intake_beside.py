"""What a request has beside its events, as Meta's SDKs send it: options, secrets, and the events as a file."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import EMAIL_HASH, Reply, ask, post, purchase, send, stored
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


BESIDE = {
    "test_event_code": "TEST1",
    "partner_agent": "shop",
    "namespace_id": "17",
    "upload_id": "18",
    "upload_tag": "tag",
    "upload_source": "crm",
    "platforms": [{"name": "web"}],
    "progress": {"done": 1},
    "trace": 17,
}
SECRETS = {"access_token": "EAAB-secret", "appsecret_proof": "proof-secret"}


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", MULTIPART_CONTENT])
def test_what_metas_sdks_put_beside_the_events_passes_on_and_nothing_else(pixel: Pixel, content_type: str) -> None:
    further = BESIDE | SECRETS | {"accessKey": pixel.access_key, "unknown": "x", "debug": "all", "fields": "id"}
    fields = {"data": json.dumps([purchase()]), **further}
    as_form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    bodies = {
        "application/json": json.dumps(fields).encode(),
        "application/x-www-form-urlencoded": urlencode(as_form).encode(),
        MULTIPART_CONTENT: encode_multipart(BOUNDARY, as_form),
    }

    assert post(pixel, bodies[content_type], content_type).status == 202
    assert json.loads(OutboxRow.objects.get().options) == BESIDE


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("upload_tag", "x" * 500, "It is too long."),
        ("partner_agent", ["x"], "It is no text."),
        ("upload_id", "a\nb", "It contains control characters."),
        ("platforms", "web", "It is no list of objects."),
        ("platforms", ["web"], "It is no list of objects."),
        ("progress", "[1]", "It is no object."),
        ("progress", '{"a": 1, "a": 2}', "It is no object."),
        ("progress", {"access_token": "t"}, "It is a key"),
        ("progress", {"a": "x" * 500}, "It is too long."),
        ("trace", -1, "It is no number"),
        ("trace", True, "It is no number"),
    ],
)
def test_an_unusable_option_is_left_out_and_told(pixel: Pixel, name: str, value: Any, reason: str) -> None:
    reply = send(pixel, purchase(), **{name: value, "upload_source": "crm"})

    assert reply.status == 202
    (message,) = reply.body["messages"]
    assert message.startswith(f"{name}: left out. {reason}")
    assert json.loads(OutboxRow.objects.get().options) == {"upload_source": "crm"}


@pytest.mark.parametrize("value", ["x" * 500, ["x"], "a\nb"])
def test_a_trial_never_counts_as_what_people_did(pixel: Pixel, value: Any) -> None:
    reply = send(pixel, purchase(), test_event_code=value)

    assert (reply.status, reply.message.partition(":")[0]) == (400, "test_event_code")


@pytest.mark.parametrize(
    "hide",
    [
        lambda secrets: purchase(**secrets),
        lambda secrets: purchase(user_data={"em": EMAIL_HASH, "client_user_agent": "x", **secrets}),
        lambda secrets: purchase(custom_data={"currency": "EUR", **secrets}),
        lambda secrets: purchase(custom_data={"contents": [{"id": "a", **secrets}]}),
        lambda secrets: purchase(unknown={"a": [[{"b": secrets}]]}),
    ],
)
@pytest.mark.parametrize("others", [0, 2])
def test_secrets_are_neither_stored_nor_passed_on_wherever_they_stand(pixel: Pixel, hide: Any, others: int) -> None:
    secrets = SECRETS | {"accessKey": "key-secret"}
    events = [*[purchase()] * others, hide(secrets)]

    reply = send(pixel, *events)

    assert reply.status == 202
    told = [message.partition(": left")[0] for message in reply.body["messages"]]
    assert {(place.partition(".")[0], place.rpartition(".")[2]) for place in told} == {
        (f"data[{others}]", name) for name in secrets
    }
    body = bytes(OutboxRow.objects.get().body)
    assert not any(text.encode() in body for text in (*secrets, *secrets.values()))
    assert "-secret" not in json.dumps(reply.body)


def test_a_secret_says_nothing_of_the_customer(pixel: Pixel) -> None:
    reply = send(pixel, purchase(), purchase(action_source="app", user_data={"access_token": "t"}))

    assert (reply.status, reply.message.partition(":")[0]) == (400, "data[1].user_data")


def test_secrets_in_the_address_are_not_kept(pixel: Pixel) -> None:
    body = json.dumps({"data": [purchase()]}).encode()
    path = f"/capi/{pixel.pixel_id}/events?{urlencode(SECRETS)}"

    assert ask("POST", path, body, "application/json").status == 202
    row = OutboxRow.objects.get()
    assert b"secret" not in bytes(row.body) + row.options.encode()


def test_a_word_that_is_also_a_secrets_name_is_a_value_like_any_other(pixel: Pixel) -> None:
    event = purchase(custom_data={"content_name": '"access_token":', "content_ids": ["accessKey"]})

    assert send(pixel, event, event).body["messages"] == []
    assert stored(pixel) == [[event, event]]


# --- Files -----------------------------------------------------------------------------------------------------------


def as_file(pixel: Pixel, content: bytes, name: str = "data") -> Reply:
    """As ``curl -F data=@events.json`` sends it."""
    part = f'Content-Disposition: form-data; name="{name}"; filename="events.json"\r\nContent-Type: application/json'
    body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY.encode(), part.encode(), content, BOUNDARY.encode())
    return post(pixel, body, MULTIPART_CONTENT)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n"])
def test_the_events_may_be_sent_as_a_file(pixel: Pixel, before: bytes) -> None:
    events = [purchase(event_id=f"order-{number}", event_name="Achat terminé") for number in range(500)]

    assert as_file(pixel, before + json.dumps(events, ensure_ascii=False).encode()).status == 202
    assert stored(pixel) == [events]


def test_a_file_may_hold_a_whole_body(pixel: Pixel) -> None:
    events = [purchase(event_id=f"order-{number}") for number in range(3)]
    body = {"data": events, "test_event_code": "TEST1", "partner_agent": "shop"}

    assert as_file(pixel, json.dumps(body, indent=1).encode()).status == 202
    assert as_file(pixel, json.dumps({"data": events[:1]}).encode()).status == 202
    assert as_file(pixel, json.dumps(body | {"accessKey": "wrong"}).encode()).status == 401
    assert stored(pixel) == [events, events[:1]]
    assert json.loads(OutboxRow.objects.earliest("id").options) == {"test_event_code": "TEST1", "partner_agent": "shop"}


def test_a_media_type_may_be_written_in_any_case(pixel: Pixel) -> None:
    body = encode_multipart(BOUNDARY, {"data": json.dumps([purchase()])})

    assert post(pixel, body, f"Multipart/Form-Data; Boundary={BOUNDARY}").status == 202


@pytest.mark.parametrize(
    ("content", "name", "field"),
    [(b"", "data", "data"), (b"{}", "data", "data"), (b"\xff", "data", "body"), (b"[]", "file", "data")],
)
def test_another_file_is_refused(pixel: Pixel, content: bytes, name: str, field: str) -> None:
    reply = as_file(pixel, content, name)

    assert (reply.status, reply.message.partition(":")[0]) == (400, field)
