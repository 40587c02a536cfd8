"""The pages of pixels: the list, connecting, replacing a token, and what is done with one press."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, TenantStatus
from events.models import Lane
from events.sandbox import Sandbox
from events.sandbox.server import serve
from pixels.models import Pixel
from pixels.states import PixelState, with_state
from pixels.views.acts import ACTS
from tests.base import Cast, login, snapshot
from tests.events.counted import count
from tests.factories import OutboxRowFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

TOKEN = "EAAB-a-new-token"
TYPED = {
    "pixel_id": "18904456377094531",
    "name": "Web shop",
    "business_id": "2840127409433732",
    "access_token": TOKEN,
    "external_id": "shop-1",
    "api_version": "v23.0",
}


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


# --- States -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, PixelState.IDLE),
        ({"last_received": timedelta(hours=23)}, PixelState.RECEIVING),
        ({"last_received": timedelta(hours=23), "last_published": timedelta(hours=23)}, PixelState.PUBLISHING),
        ({"last_received": timedelta(hours=23), "last_published": timedelta(hours=25)}, PixelState.RECEIVING),
        ({"last_published": timedelta(0), "api_error_code": "4"}, PixelState.PUBLISHING_FAILS),
        ({"api_error_code": "4", "publishing_enabled": False}, PixelState.PUBLISHING_FAILS),
        ({"api_error_code": "190", "bad_token": True}, PixelState.TOKEN_REJECTED),
        ({"last_received": timedelta(hours=25)}, PixelState.IDLE),
        ({"last_received": timedelta(0), "publishing_enabled": False}, PixelState.PUBLISHING_OFF),
        ({"bad_token": True, "publishing_enabled": False}, PixelState.TOKEN_REJECTED),
        ({"bad_token": True, "event_bridge_active": False}, PixelState.DEACTIVATED),
    ],
)
def test_a_pixels_state_is_the_first_thing_that_somebody_should_know(
    cast: Cast, values: dict[str, Any], state: PixelState
) -> None:
    now = timezone.now()
    moments = {name: now - value for name, value in values.items() if isinstance(value, timedelta)}
    PixelFactory.create(tenant=cast.shoes, **values | moments)
    assert with_state(Pixel.objects.all()).get().state == state


def test_publishing_fails_while_meta_does_not_answer(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.update(last_received=timezone.now(), last_published=timezone.now())
    lane = Lane.objects.create(pixel=pixel, failures=1, silence="ReadTimeout")
    assert with_state(Pixel.objects.all()).get().state == PixelState.PUBLISHING_FAILS
    Lane.objects.filter(pk=lane.pk).update(failures=0, silence="")
    assert with_state(Pixel.objects.all()).get().state == PixelState.PUBLISHING


@pytest.mark.parametrize(
    ("sent", "failed", "code", "state"),
    [
        (25, 1, "100.2804003", PixelState.SOME_FAIL),
        (25, 1, None, PixelState.SOME_FAIL),
        (25, 0, "100", PixelState.SOME_FAIL),
        (0, 3, None, PixelState.PUBLISHING_FAILS),
        (25, 0, None, PixelState.PUBLISHING),
    ],
)
def test_a_state_follows_what_was_sent_and_refused_in_a_day_not_the_last_answer_alone(
    cast: Cast, pixel: Pixel, sent: int, failed: int, code: str | None, state: PixelState
) -> None:
    now = timezone.now()
    Pixel.objects.update(api_error_code=code, last_received=now, last_published=now)
    count(pixel, now, "published", sent)
    count(pixel, now - timedelta(hours=20), "failed", failed)
    count(pixel, now - timedelta(hours=30), "failed", 9)

    assert with_state(Pixel.objects.all()).get().state == state
    page = get(cast.vic, "pixels:list", cast.shoes)
    if failed:
        assert f"{failed} of {sent + failed} failed" in text_of(page)
        assert f"{address('pixels:deliveries', cast.shoes, '555001')}&amp;outcome=FAILED" in page.content.decode()


def test_a_request_that_was_tried_again_is_told_though_all_was_sent(cast: Cast, pixel: Pixel) -> None:
    count(pixel, timezone.now(), "published", 25)
    count(pixel, timezone.now(), "publish_errors", 2)
    assert "2 requests to Meta failed and were tried again" in see(cast.vic, "pixels:list", cast.shoes)


def test_a_deactivated_accounts_pixels_are_deactivated(cast: Cast) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    PixelFactory.create(tenant=cast.shoes, last_received=timezone.now())
    assert with_state(Pixel.objects.all()).get().state == PixelState.DEACTIVATED


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_how_each_pixel_fares_with_those_that_fail_first(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Stores", pixel_id="998", api_error_code="10")
    PixelFactory.create(tenant=cast.shoes, name="Outlet", pixel_id="999", bad_token=True, api_error_code="190.460")
    PixelFactory.create(tenant=cast.other, name="Not ours")

    page = see(cast.vic, "pixels:list", cast.shoes)

    shown = (
        "Outlet 999 Token rejected Meta's error 190.460",
        "Stores 998 Publishing fails Meta's error 10",
        "Web shop 555001 Idle",
    )
    places = [page.index(words) for words in shown]
    assert places == sorted(places)
    assert "Not ours" not in page


def test_an_account_without_pixels_is_told_what_to_do_first(cast: Cast) -> None:
    assert "Connect your first pixel" in see(cast.max, "pixels:list", cast.shoes)
    assert "Somebody with the role Admin or Manage can add one." in see(cast.vic, "pixels:list", cast.shoes)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "OUTLET"}, ["999"]),
        ({"search": "555"}, ["555001"]),
        ({"state": "token-rejected"}, ["999"]),
        ({"state": "publishing-fails"}, []),
        ({"search": "web", "state": "idle"}, ["555001"]),
        ({"state": "no such state"}, ["999", "555001"]),
        ({"search": "nul\0"}, ["999", "555001"]),
    ],
)
def test_the_list_is_searched(cast: Cast, pixel: Pixel, query: dict[str, str], found: list[str]) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Outlet", pixel_id="999", bad_token=True)
    page = get(cast.vic, "pixels:list", cast.shoes, **query)
    assert [listed.pixel_id for listed in page.context["page"].object_list] == found


def test_nothing_found_leads_back_to_all(cast: Cast, pixel: Pixel) -> None:
    assert "No pixel is like that. Show all" in see(cast.vic, "pixels:list", cast.shoes, search="nothing")


@pytest.mark.parametrize("page", ["2", "99", "x"])
def test_the_list_is_paged(cast: Cast, page: str) -> None:
    PixelFactory.create_batch(30, tenant=cast.shoes)
    first = get(cast.vic, "pixels:list", cast.shoes)
    assert len(first.context["page"].object_list) == 25
    assert "Page 1 of 2" in text_of(first)
    assert get(cast.vic, "pixels:list", cast.shoes, page=page).status_code == 200


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


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    """The stand-in for Meta."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        yield sandbox


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


def test_a_pixel_is_renamed_on_a_page_of_its_own(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")
    client = login(cast.max)
    assert 'value="Web shop"' in get(client, "pixels:rename", cast.shoes, pixel.pixel_id).content.decode()

    answer = post(client, "pixels:rename", cast.shoes, pixel.pixel_id, name="Outlet")

    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, pixel.pixel_id)
    page = see(client, "pixels:detail", cast.shoes, pixel.pixel_id)
    assert "The pixel is called Outlet (555001) now." in page
    assert "renamed pixel Web shop (555001)" in see(client, "accounts:activity", cast.shoes)


def test_a_name_that_is_refused_is_kept_in_its_field(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = post(client, "pixels:rename", cast.shoes, pixel.pixel_id, name="x" * 101)
    assert answer.status_code == 400
    assert answer.context["form"].errors == {"name": ["Must have at most 100 characters."]}
    assert f'value="{"x" * 101}"' in answer.content.decode()
    assert snapshot() == before


def test_browsers_may_send_from_listed_websites(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    post(client, "pixels:websites", cast.shoes, pixel.pixel_id, websites="Shop.example.com\n\nbücher.example.org ")

    assert Pixel.objects.get().browser_websites == ["shop.example.com", "xn--bcher-kva.example.org"]
    assert "shop.example.com, xn--bcher-kva.example.org" in see(client, "pixels:sending", cast.shoes, pixel.pixel_id)
    assert "changed the websites that may send" in see(client, "accounts:activity", cast.shoes)


@pytest.mark.parametrize(
    "websites", ["https://example.com", "com", "x", "\n".join(f"s{n}.example.com" for n in range(101))]
)
def test_a_website_that_is_none_changes_nothing(cast: Cast, pixel: Pixel, websites: str) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = post(client, "pixels:websites", cast.shoes, pixel.pixel_id, websites=websites)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["websites"]
    assert snapshot() == before


# --- What is done with one press --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "field", "before", "after"),
    [
        ("activate", "event_bridge_active", False, True),
        ("deactivate", "event_bridge_active", True, False),
        ("enable_publishing", "publishing_enabled", False, True),
        ("disable_publishing", "publishing_enabled", True, False),
        ("require_key", "require_access_key", False, True),
        ("unrequire_key", "require_access_key", True, False),
        ("open_to_browsers", "browsers_need_no_key", False, True),
        ("close_to_browsers", "browsers_need_no_key", True, False),
    ],
)
def test_a_press_does_it_and_leads_to_the_pixel(cast: Cast, act: str, field: str, before: bool, after: bool) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, **{field: before})

    answer = post(cast.max, f"pixels:{act}", cast.shoes, pixel.pixel_id)

    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, pixel.pixel_id)
    assert getattr(Pixel.objects.get(), field) is after
    assert AuditEntry.objects.count() == 1


def test_a_new_key_is_generated(cast: Cast, pixel: Pixel) -> None:
    post(cast.max, "pixels:generate_key", cast.shoes, pixel.pixel_id)
    assert Pixel.objects.get().access_key != pixel.access_key


def test_a_removed_pixel_is_gone_and_the_list_is_next(cast: Cast, pixel: Pixel) -> None:
    answer = post(cast.max, "pixels:remove", cast.shoes, pixel.pixel_id)
    assert answer.headers["Location"] == address("pixels:list", cast.shoes)
    assert not Pixel.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_each_act_can_be_asked_about_first(cast: Cast, pixel: Pixel, act: str) -> None:
    client = login(cast.max)
    before = snapshot()
    page = see(client, f"pixels:{act}", cast.shoes, pixel.pixel_id)
    assert str(ACTS[act].question) in page
    assert snapshot() == before


def test_after_the_question_one_is_back_where_one_was(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    overview = address("account_overview", cast.shoes, page=2)
    question = client.get(
        address("pixels:deactivate", cast.shoes, pixel.pixel_id), headers={"Referer": f"http://testserver{overview}"}
    )
    answer = post(client, "pixels:deactivate", cast.shoes, pixel.pixel_id, next=question.context["next"])
    assert answer.headers["Location"] == overview


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/hub/capig/", "//evil.example/hub/capig/", "javascript:/hub/capig/", "/admin/"]
)
def test_no_link_leads_elsewhere(cast: Cast, pixel: Pixel, elsewhere: str) -> None:
    answer = post(cast.max, "pixels:deactivate", cast.shoes, pixel.pixel_id, next=elsewhere)
    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, pixel.pixel_id)


# --- Borders ----------------------------------------------------------------------------------------------------------

POSTS = ["rename", "token", "websites", *ACTS]


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_not_change_nothing(cast: Cast, pixel: Pixel, name: str, who: str, status: int) -> None:
    client = login(getattr(cast, who))
    before = snapshot()
    answer = post(client, f"pixels:{name}", cast.shoes, pixel.pixel_id, access_token=TOKEN)
    assert answer.status_code == status
    assert snapshot() == before


@pytest.mark.parametrize("name", POSTS)
def test_another_accounts_pixel_cannot_be_reached_through_ones_own(cast: Cast, name: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    client = login(cast.max)
    before = snapshot()
    post(client, f"pixels:{name}", cast.shoes, foreign.pixel_id, access_token=TOKEN)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["detail", "token", "deliveries", "dead_letters", "sending", "remove"])
def test_another_accounts_pixel_has_no_page(cast: Cast, name: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    for pixel_id in (foreign.pixel_id, "404", "not-digits"):
        answer = login(cast.max).get(address(f"pixels:{name}", cast.shoes, pixel_id))
        assert answer.status_code == 404


def test_whoever_may_only_look_sees_no_buttons(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.vic)
    pages = [get(client, "pixels:list", cast.shoes)]
    pages += [get(client, f"pixels:{name}", cast.shoes, pixel.pixel_id) for name in ("detail", "sending")]
    for page in pages:
        main = page.content.decode().partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main
        assert pixel.access_key not in main
        assert not [words for words in ("Remove data source", "Deactivate pixel", "Send a test event") if words in main]


def test_the_people_of_a_deactivated_account_look_and_do_not_change(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    client = login(cast.max)
    before = snapshot()

    page = see(client, "pixels:list", cast.shoes)
    refused = post(client, "pixels:deactivate", cast.shoes, pixel.pixel_id)

    assert "This account is deactivated" in page
    assert "Ask your host to activate it." in page
    assert "Add data source" not in page
    assert refused.status_code == 403
    assert snapshot() == before
