"""The pages of pixels: the list, and who sees and changes what."""

from __future__ import annotations

import pytest

from accounts.models import TenantStatus
from pixels.models import Pixel
from pixels.views.acts import ACTS
from tests.base import Cast, login, snapshot
from tests.factories import PixelFactory
from tests.pages import address, get, post, see, text_of
from tests.pixels.typed import TOKEN

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
