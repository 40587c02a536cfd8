"""The pages Events and Websites: what is published, what is dropped, on which pixel, and who has changed it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, TenantStatus
from events.figures.counting import Tally
from events.models import Counter, SeenLabel
from filters.models import DomainFilter, EventFilter, FilterState
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

DROP, PUBLISH = FilterState.DROP, FilterState.PUBLISH


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


def receive(pixel: Pixel, name: str, website: str = "shop.example.com", n: int = 1) -> None:
    tally = Tally()
    tally.add(timezone.now(), name, website, "received", n)
    tally.write(pixel.pk)


def names(answer: Any) -> list[str]:
    return [row.summary.name for row in answer.context["page"]]


def stored(model: type[EventFilter] | type[DomainFilter]) -> set[tuple[str, str | None, str]]:
    rows = model.objects.values_list(model.name_field, "pixel__pixel_id", "state")
    return {(name, pixel_id, state) for name, pixel_id, state in rows}


# --- Events -----------------------------------------------------------------------------------------------------------


def test_names_that_were_seen_or_have_a_filter_are_listed_the_busiest_first(cast: Cast, pixel: Pixel) -> None:
    receive(pixel, "Purchase", n=2)
    receive(pixel, "PageView", n=7)
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    EventFilterFactory.create(tenant=cast.other, event_name="Not ours")
    SeenLabel.objects.create(
        pixel=pixel,
        dimension=Counter.Dimension.EVENT_NAME,
        label="Forgotten",
        last_seen=timezone.now() - timedelta(days=31),
    )

    answer = get(cast.vic, "filters:events", cast.shoes)

    assert names(answer) == ["PageView", "Purchase", "Lead"]
    assert "Purchase 2 0 On None" in text_of(answer)
    assert "Lead 0 0 Off None" in text_of(answer)


def test_mixed_is_shown_as_mixed_with_the_way_to_the_exceptions(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes)
    EventFilterFactory.create(pixel=pixel, event_name="Lead")
    answer = get(cast.max, "filters:events", cast.shoes)
    assert "Lead 0 0 Mixed 1 pixel of Lead" in text_of(answer)
    assert address("filters:event", cast.shoes, name="Lead").replace("&", "&amp;") in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "PURCH"}, ["Purchase"]),
        ({"state": "DROP"}, ["Lead"]),
        ({"state": "MIXED"}, []),
        ({"state": "nothing"}, ["Purchase", "Lead"]),
        ({"search": "nul\0"}, ["Purchase", "Lead"]),
    ],
)
def test_the_names_are_searched(cast: Cast, pixel: Pixel, query: dict[str, str], found: list[str]) -> None:
    receive(pixel, "Purchase")
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    assert names(get(cast.vic, "filters:events", cast.shoes, **query)) == found


def test_the_names_are_paged(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create_batch(30, tenant=cast.shoes)
    first = get(cast.vic, "filters:events", cast.shoes)
    assert len(names(first)) == 25
    assert "Page 1 of 2" in text_of(first)
    assert len(names(get(cast.vic, "filters:events", cast.shoes, page=2))) == 5


def test_without_events_the_page_says_what_will_be_there(cast: Cast) -> None:
    assert "No event was seen yet" in see(cast.max, "filters:events", cast.shoes)


def test_a_filter_is_set_for_a_name_that_is_yet_to_come(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    answer = post(client, "filters:add_event", cast.shoes, event_name="Scroll / depth?", state="DROP")
    assert answer.headers["Location"] == address("filters:events", cast.shoes)
    assert stored(EventFilter) == {("Scroll / depth?", None, "DROP")}
    page = see(client, "filters:events", cast.shoes)
    assert "Scroll / depth? is blocked on all pixels." in page
    assert "max@example.com changed the filter of the event Scroll / depth? now All pixels: Blocked" in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 51, "Must have at most 50 characters."),
        ("  ", "Must not be empty."),
        ("a\x01b", "Must not contain control characters."),
        ("", "This field is required."),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_at_its_field(cast: Cast, name: str, words: str) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = post(client, "filters:add_event", cast.shoes, event_name=name, state="PUBLISH")
    assert answer.status_code == 400
    assert answer.context["form"].errors == {"event_name": [words]}
    assert f'value="{name}"' in answer.content.decode() or not name.strip()
    assert '<option value="PUBLISH" selected>' in answer.content.decode()
    assert snapshot() == before


def test_a_refused_forms_page_can_be_reloaded(cast: Cast) -> None:
    answer = login(cast.max).get(address("filters:add_event", cast.shoes))
    assert answer.headers["Location"] == address("filters:events", cast.shoes)


# --- One name, pixel by pixel -----------------------------------------------------------------------------------------


def test_a_names_page_has_a_switch_for_each_pixel_and_marks_the_exceptions(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Outlet", pixel_id="555002")
    EventFilterFactory.create(pixel=pixel, event_name="Lead")

    answer = get(cast.max, "filters:event", cast.shoes, name="Lead")

    page = text_of(answer)
    assert "Mixed: the pixels differ." in page
    assert "Pixels that are connected later publish it, too." in page
    rows = {shown.name: (drops, differs) for shown, drops, differs in answer.context["rows"]}
    assert rows == {"Web shop": (True, True), "Outlet": (False, False)}
    assert "Publish Lead on pixel 555002 On" in page


def test_a_pixels_switch_makes_an_exception_and_leads_back(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes)
    client = login(cast.max)
    here = address("filters:event", cast.shoes, name="Lead")
    answer = client.post(
        address("filters:set_event", cast.shoes),
        {"name": "Lead", "pixel": "555001", "publish": "no"},
        headers={"Referer": f"http://testserver{here}"},
    )
    assert answer.headers["Location"] == here
    assert stored(EventFilter) == {("Lead", "555001", "DROP")}
    assert "Lead is blocked on pixel 555001." in see(client, "filters:event", cast.shoes, name="Lead")


def test_dropping_on_all_pixels_clears_the_exceptions(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(pixel=pixel, event_name="Lead", state=PUBLISH)
    post(cast.max, "filters:set_event", cast.shoes, name="Lead", publish="no")
    assert stored(EventFilter) == {("Lead", None, "DROP")}


def test_its_history_is_of_that_name_alone(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.max)
    post(client, "filters:set_event", cast.shoes, name="Lead", publish="no")
    post(client, "filters:set_event", cast.shoes, name="Search", publish="no")
    page = see(client, "filters:event", cast.shoes, name="Lead")
    assert "max@example.com changed the filter of the event Lead" in page
    assert "the event Search" not in page


def test_a_change_of_many_pixels_is_told_in_short(cast: Cast) -> None:
    changes = {str(n): [None, "DROP"] for n in range(8)}
    AuditEntry.objects.create(
        tenant_id=cast.shoes.pk, actor="max@example.com", act="update event filter", subject="Lead", changes=changes
    )
    assert "Pixel 4: Blocked and 3 more" in see(cast.vic, "filters:events", cast.shoes)


@pytest.mark.parametrize("page", ["filters:event", "filters:website"])
@pytest.mark.parametrize("name", ["", "nul\0", "x" * 300])
def test_a_name_that_cannot_be_one_has_no_page(cast: Cast, page: str, name: str) -> None:
    assert login(cast.max).get(address(page, cast.shoes, name=name)).status_code == 404


# --- Websites ---------------------------------------------------------------------------------------------------------


def test_permitted_and_blocked_websites_are_told_apart(cast: Cast, pixel: Pixel) -> None:
    receive(pixel, "PageView", "shop.example.com", 3)
    receive(pixel, "PageView", "blog.blocked.example")
    DomainFilterFactory.create(tenant=cast.shoes, domain="blocked.example")
    DomainFilterFactory.create(tenant=cast.shoes, domain="fine.example", state=PUBLISH)

    answer = get(cast.vic, "filters:websites", cast.shoes)

    assert [row.summary.name for row in answer.context["permitted"]] == ["shop.example.com", "fine.example"]
    # A subdomain is blocked with its domain.
    assert names(answer) == ["blog.blocked.example", "blocked.example"]
    assert "shop.example.com 3 0 None" in text_of(answer)


def test_all_permitted_websites_are_a_press_away(cast: Cast, pixel: Pixel) -> None:
    for n in range(12):
        receive(pixel, "PageView", f"shop{n:02}.example")
    first = get(cast.vic, "filters:websites", cast.shoes)
    assert len(first.context["permitted"]) == 10
    assert "See all 12" in text_of(first)
    assert len(names(get(cast.vic, "filters:websites", cast.shoes, show="permitted"))) == 12


def test_a_website_is_blocked_and_unblocked(cast: Cast, pixel: Pixel) -> None:
    receive(pixel, "PageView", "shop.example.com")
    client = login(cast.max)
    assert "Block" in see(client, "filters:websites", cast.shoes)

    answer = post(client, "filters:set_website", cast.shoes, name="shop.example.com", publish="no")
    assert answer.headers["Location"] == address("filters:websites", cast.shoes)
    assert stored(DomainFilter) == {("shop.example.com", None, "DROP")}
    assert "Unblock" in see(client, "filters:websites", cast.shoes)

    post(client, "filters:set_website", cast.shoes, name="shop.example.com", publish="yes")
    assert stored(DomainFilter) == {("shop.example.com", None, "PUBLISH")}


def test_a_website_is_blocked_by_typing_it(cast: Cast) -> None:
    post(cast.max, "filters:add_website", cast.shoes, domain=" Bücher.Example.com ")
    assert stored(DomainFilter) == {("xn--bcher-kva.example.com", None, "DROP")}


@pytest.mark.parametrize(
    "pasted",
    ["https://shop.example.com/x", "http://Shop.example.com:8080/?a=b", "shop.example.com/x", "shop.example.com."],
)
def test_a_pasted_address_is_trimmed_to_its_domain(cast: Cast, pasted: str) -> None:
    post(cast.max, "filters:add_website", cast.shoes, domain=pasted)
    assert stored(DomainFilter) == {("shop.example.com", None, "DROP")}


@pytest.mark.parametrize(
    "domain", ["https://example/", "ada@example.com", "example", "127.0.0.1", "a b.com", "com", "x" * 300]
)
def test_what_is_no_domain_is_refused_at_its_field_and_kept(cast: Cast, domain: str) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = post(client, "filters:add_website", cast.shoes, domain=domain)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["domain"]
    assert f'value="{domain}"' in answer.content.decode()
    assert snapshot() == before


def test_a_website_has_exceptions_pixel_by_pixel(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes)
    client = login(cast.max)
    post(client, "filters:set_website", cast.shoes, name="shop.example.com", pixel="555001", publish="no")
    page = see(client, "filters:websites", cast.shoes)
    assert "shop.example.com 0 0 Mixed: 1 pixel" in page
    rows = get(client, "filters:website", cast.shoes, name="shop.example.com").context["rows"]
    assert {shown.pixel_id: drops for shown, drops, _ in rows}["555001"] is True


# --- Borders ----------------------------------------------------------------------------------------------------------

CHANGES = [
    ("filters:set_event", {"name": "Lead", "publish": "no"}),
    ("filters:set_event", {"name": "Lead", "pixel": "555001", "publish": "no"}),
    ("filters:add_event", {"event_name": "Lead", "state": "DROP"}),
    ("filters:set_website", {"name": "example.com", "publish": "no"}),
    ("filters:add_website", {"domain": "example.com"}),
]


@pytest.mark.parametrize(("page", "data"), CHANGES)
@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_only_look_change_nothing(
    cast: Cast, pixel: Pixel, page: str, data: dict[str, str], who: str, status: int
) -> None:
    client = login(getattr(cast, who))
    before = snapshot()
    assert post(client, page, cast.shoes, **data).status_code == status
    assert snapshot() == before


@pytest.mark.parametrize("page", ["filters:events", "filters:websites", "filters:event", "filters:website"])
def test_whoever_may_only_look_sees_no_button(cast: Cast, pixel: Pixel, page: str) -> None:
    receive(pixel, "Lead", "example.com")
    DomainFilterFactory.create(tenant=cast.shoes, domain="blocked.example")
    query = {"name": "example.com" if page == "filters:website" else "Lead"}
    main = get(cast.vic, page, cast.shoes, **query).content.decode().partition("<main")[2].partition("</main>")[0]
    assert 'method="post"' not in main
    assert "<button" not in main.replace('<button class="btn">', "", 1)  # of the search


@pytest.mark.parametrize("page", ["filters:set_event", "filters:set_website"])
@pytest.mark.parametrize("name", ["", "nul\0", "x" * 10_000])
def test_a_switch_of_nothing_changes_nothing(cast: Cast, page: str, name: str) -> None:
    client = login(cast.max)
    before = snapshot()
    assert post(client, page, cast.shoes, name=name, publish="no").status_code == 302
    assert snapshot() == before


@pytest.mark.parametrize("pixel_id", ["404", "nul\0", "x" * 10_000])
def test_another_accounts_pixel_gets_no_exception(cast: Cast, pixel: Pixel, pixel_id: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    client = login(cast.max)
    before = snapshot()
    for named in (pixel_id, foreign.pixel_id):
        post(client, "filters:set_event", cast.shoes, name="Lead", pixel=named, publish="no")
    assert snapshot() == before


def test_the_people_of_a_deactivated_account_look_and_do_not_change(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    client = login(cast.ada)
    before = snapshot()
    assert "This account is deactivated" in see(client, "filters:events", cast.shoes)
    assert post(client, "filters:set_event", cast.shoes, name="Lead", publish="no").status_code == 403
    assert snapshot() == before
