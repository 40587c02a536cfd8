"""The pages that connect a pixel and replace its token."""

from __future__ import annotations

from typing import Any

import pytest

from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.factories import OutboxRowFactory, PixelFactory
from tests.pages import address, get, post, see, text_of
from tests.pixels.typed import TOKEN, TYPED

# --- Connecting -------------------------------------------------------------------------------------------------------


def test_a_pixel_is_connected_and_its_page_says_how_to_send(cast: Cast) -> None:
    answer = post(cast.max, "pixels:connect", cast.shoes, **TYPED)

    pixel = Pixel.objects.get()
    assert answer.headers["Location"] == address("pixels:sending", cast.shoes, pixel.pixel_id)
    assert pixel.access_token.reveal() == TOKEN
    assert {field: getattr(pixel, field) for field in TYPED if field != "access_token"} == {
        field: value for field, value in TYPED.items() if field != "access_token"
    }


def test_what_is_left_empty_takes_the_newest_version_and_no_name(cast: Cast, settings: Any) -> None:
    post(cast.max, "pixels:connect", cast.shoes, **TYPED | {"name": "", "external_id": "", "api_version": ""})
    pixel = Pixel.objects.get()
    assert (pixel.name, pixel.external_id, pixel.api_version) == (None, "", settings.GRAPH_API_VERSION)


def test_the_form_says_where_each_value_is_found(cast: Cast) -> None:
    page = get(cast.max, "pixels:connect", cast.shoes)
    fields = page.context["form"].fields.values()
    assert all(field.help_text for field in fields)
    assert 'type="password"' in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pixel_id", "12 34", "Must be 1 to 20 digits."),
        ("pixel_id", "1.89E+16", "Must be 1 to 20 digits."),
        ("business_id", "1" * 65, "Must have at most 64 characters."),
        ("access_token", "has space", "Must not contain white space or control characters."),
        ("external_id", "1" * 256, "Must have at most 255 characters."),
        ("api_version", "24", "Must be a Graph API version such as v24.0."),
        ("name", "n" * 101, "Must have at most 100 characters."),
        ("name", "nul\0", "Null characters are not allowed."),
        ("pixel_id", "", "This field is required."),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed_but_for_the_token(
    cast: Cast, field: str, value: str, words: str
) -> None:
    client = login(cast.max)
    before = snapshot()
    typed = TYPED | {field: value}

    answer = post(client, "pixels:connect", cast.shoes, **typed)

    page = answer.content.decode()
    assert answer.status_code == 400
    assert answer.context["form"].errors[field][0] == words
    assert snapshot() == before
    kept = [text for name, text in typed.items() if name not in ("access_token", field)]
    assert not [text for text in kept if f'value="{text}"' not in page]
    assert typed["access_token"] not in page
    assert "Enter the access token again: it is not kept." in answer.context["form"].errors["access_token"]


def test_all_mistakes_are_told_at_once(cast: Cast) -> None:
    typed = TYPED | {"pixel_id": "12 34", "business_id": "", "access_token": "has space", "api_version": "24"}
    errors = post(cast.max, "pixels:connect", cast.shoes, **typed).context["form"].errors
    assert set(errors) == {"pixel_id", "business_id", "access_token", "api_version"}


def test_another_accounts_pixel_is_refused_at_its_field(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.other, pixel_id=TYPED["pixel_id"])
    answer = post(cast.max, "pixels:connect", cast.shoes, **TYPED)
    assert answer.context["form"].errors["pixel_id"] == ["This pixel is connected in another account already."]


def test_a_pixel_that_is_connected_keeps_its_token_until_somebody_agrees(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    before = snapshot()

    asked = post(client, "pixels:connect", cast.shoes, **TYPED | {"pixel_id": pixel.pixel_id})

    assert asked.status_code == 400
    assert "Web shop (555001) is connected already." in text_of(asked)
    assert "replace" in asked.context["form"].errors
    assert snapshot() == before
    post(client, "pixels:connect", cast.shoes, **TYPED | {"pixel_id": pixel.pixel_id, "replace": "on"})
    assert Pixel.objects.get().access_token.reveal() == TOKEN


def test_what_is_left_empty_of_a_connected_pixel_stays(cast: Cast) -> None:
    PixelFactory.create(
        tenant=cast.shoes, pixel_id="555001", name="Shop", business_id="7", external_id="e", api_version="v20.0"
    )
    empty = dict.fromkeys(("name", "business_id", "external_id", "api_version"), "")

    answer = post(cast.max, "pixels:connect", cast.shoes, pixel_id="555001", access_token=TOKEN, replace="on", **empty)

    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, "555001")
    pixel = Pixel.objects.get()
    assert pixel.access_token.reveal() == TOKEN
    assert (pixel.name, pixel.business_id, pixel.external_id, pixel.api_version) == ("Shop", "7", "e", "v20.0")


# --- Replacing a token ------------------------------------------------------------------------------------------------


def test_a_rejected_token_is_replaced_and_all_else_stays(cast: Cast) -> None:
    pixel = PixelFactory.create(
        tenant=cast.shoes, name="Shop", external_id="e", api_version="v20.0", bad_token=True, api_error_code="190"
    )

    answer = post(cast.max, "pixels:token", cast.shoes, pixel.pixel_id, access_token=TOKEN)

    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, pixel.pixel_id)
    changed = Pixel.objects.get()
    assert changed.access_token.reveal() == TOKEN
    assert (changed.bad_token, changed.api_error_code) == (False, None)
    assert (changed.name, changed.external_id, changed.api_version) == ("Shop", "e", "v20.0")


def test_a_token_that_meta_rejects_is_not_taken(cast: Cast, pixel: Pixel, sandbox: Sandbox) -> None:
    client = login(cast.max)
    before = snapshot()
    rejected = "rejected-by-meta"

    for page, typed in (
        (("pixels:token", "555001"), {"access_token": rejected}),
        (("pixels:connect",), TYPED | {"access_token": rejected}),
        (("pixels:connect",), TYPED | {"pixel_id": "555001", "replace": "on", "access_token": rejected}),
    ):
        answer = post(client, page[0], cast.shoes, *page[1:], **typed)
        assert answer.status_code == 400
        assert "Meta rejects this access token: “Error validating access token" in text_of(answer)
        assert rejected not in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("fault", [{"close": True}, {"code": 2}, {"delay_seconds": 1.0}, {"code": 200}])
def test_where_meta_does_not_say_whether_it_accepts_a_token_nobody_claims_that_events_are_sent(
    cast: Cast, pixel: Pixel, sandbox: Sandbox, fault: Any, settings: Any
) -> None:
    settings.PUBLISH_TIMEOUT_SECONDS = 0.5
    OutboxRowFactory.create(pixel=pixel, event_count=25)
    client = login(cast.max)
    sandbox.fail(**fault)

    post(client, "pixels:token", cast.shoes, "555001", access_token="EAAB…")

    assert Pixel.objects.get().access_token.reveal() == "EAAB…"
    page = see(client, "pixels:detail", cast.shoes, "555001")
    assert "has a new access token. Meta did not say whether it accepts it" in page
    assert "being sent" not in page


def test_a_new_token_tells_of_the_events_that_waited_for_it(cast: Cast, sandbox: Sandbox) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="Shop", pixel_id="7", bad_token=True)
    OutboxRowFactory.create(pixel=pixel, event_count=25)
    client = login(cast.max)
    post(client, "pixels:token", cast.shoes, "7", access_token=TOKEN)
    page = see(client, "pixels:detail", cast.shoes, "7")
    assert "Shop (7) has a new access token, which Meta accepts; its 25 waiting events are being sent." in page


def test_the_stored_token_is_on_no_page(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.get().access_token.reveal()
    client = login(cast.max)
    for name in ("detail", "token", "sending", "deliveries", "dead_letters"):
        page = get(client, f"pixels:{name}", cast.shoes, pixel.pixel_id).content.decode()
        assert "the token of a test" not in page
        assert Pixel.objects.get().access_token.sealed not in page


@pytest.mark.parametrize("token", ["", "has space", "x" * 2_049])
def test_a_token_that_cannot_be_one_changes_nothing(cast: Cast, pixel: Pixel, token: str) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = post(client, "pixels:token", cast.shoes, pixel.pixel_id, access_token=token)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["access_token"]
    assert snapshot() == before
