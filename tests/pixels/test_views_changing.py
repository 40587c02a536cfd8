"""What is changed of a pixel on a page of its own, and with one press."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from pixels.models import Pixel
from pixels.views.acts import ACTS
from tests.base import Cast, login, snapshot
from tests.factories import PixelFactory
from tests.pages import address, get, post, see


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
