"""Setting filters: account-wide, or as exceptions of single pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from accounts.principals import OPERATOR, Principal, principal_of_api_account, principal_of_user
from common.errors import InvalidInput, NotAuthorized
from filters import services
from filters.models import DomainFilter, EventFilter
from filters.reads import FilterView, load_filter_set
from filters.services import update_domain_filter, update_event_filter
from pixels.models import Pixel
from tests.base import Cast, snapshot
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory


@pytest.fixture
def pixels(cast: Cast) -> list[Pixel]:
    """The pixels 1, 2 and 3 of Shoes."""
    return [PixelFactory.create(tenant=cast.shoes, pixel_id=str(number)) for number in (1, 2, 3)]


def set_event(
    cast: Cast,
    state: str,
    pixel_ids: Sequence[str] | None = None,
    *,
    name: str = "Purchase",
    principal: Principal = OPERATOR,
) -> FilterView:
    return update_event_filter(
        principal=principal, tenant_id=cast.shoes.pk, event_name=name, state=state, pixel_ids=pixel_ids
    )


def set_domain(
    cast: Cast, state: str, pixel_ids: Sequence[str] | None = None, *, domain: str = "example.com"
) -> FilterView:
    return update_domain_filter(
        principal=OPERATOR, tenant_id=cast.shoes.pk, domain=domain, state=state, pixel_ids=pixel_ids
    )


def stored(model: Any = EventFilter) -> set[tuple[str, str | None, str]]:
    """All filters of one kind: name, pixel, state."""
    return set(model.objects.values_list(model.name_field, "pixel__pixel_id", "state"))


def shown(view: FilterView) -> tuple[str, str | None, str]:
    return view.id, view.pixel_id, str(view.state)


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("nobody", [None, []])
def test_without_pixels_the_filter_stands_for_all(cast: Cast, nobody: list[str] | None) -> None:
    assert shown(set_event(cast, "DROP", nobody)) == ("EventFilter:Purchase:global", None, "DROP")
    assert stored() == {("Purchase", None, "DROP")}


def test_pixels_that_come_later_are_covered(cast: Cast) -> None:
    set_event(cast, "DROP")
    late = PixelFactory.create(tenant=cast.shoes)

    assert load_filter_set(late).dropped_by("Purchase", None)


@pytest.mark.usefixtures("pixels")
def test_setting_it_for_all_clears_the_exceptions_of_that_name_only(cast: Cast) -> None:
    set_event(cast, "DROP", ["1", "2"])
    set_event(cast, "DROP", ["1"], name="Lead")

    set_event(cast, "PUBLISH")

    assert stored() == {("Purchase", None, "PUBLISH"), ("Lead", "1", "DROP")}


@pytest.mark.usefixtures("pixels")
def test_one_pixel_named_is_an_exception_and_is_shown(cast: Cast) -> None:
    set_event(cast, "DROP")

    assert shown(set_event(cast, "PUBLISH", ["2"])) == ("EventFilter:Purchase:2", "2", "PUBLISH")
    assert stored() == {("Purchase", None, "DROP"), ("Purchase", "2", "PUBLISH")}


@pytest.mark.usefixtures("pixels")
def test_a_pixel_named_twice_is_one_pixel(cast: Cast) -> None:
    assert shown(set_event(cast, "DROP", ["2", "2"])) == ("EventFilter:Purchase:2", "2", "DROP")
    assert stored() == {("Purchase", "2", "DROP")}


@pytest.mark.usefixtures("pixels")
def test_an_exception_is_set_anew_and_the_others_stay(cast: Cast) -> None:
    set_event(cast, "DROP", ["1", "2"])

    set_event(cast, "PUBLISH", ["2", "3"])

    assert stored() == {("Purchase", "1", "DROP"), ("Purchase", "2", "PUBLISH"), ("Purchase", "3", "PUBLISH")}


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize(
    ("named", "state"), [(["1", "2"], "MIXED"), (["1", "2", "3"], "DROP"), (["3", "1", "2", "1"], "DROP")]
)
def test_for_several_pixels_the_account_is_shown_mixed_where_they_differ(
    cast: Cast, named: list[str], state: str
) -> None:
    assert shown(set_event(cast, "DROP", named)) == ("EventFilter:Purchase:global", None, state)


@pytest.mark.usefixtures("pixels")
def test_pixels_agree_whether_by_exception_or_by_the_filter_for_all(cast: Cast) -> None:
    set_event(cast, "DROP")

    assert shown(set_event(cast, "DROP", ["1", "2"]))[2] == "DROP"
    assert shown(set_event(cast, "PUBLISH", ["1", "2"]))[2] == "MIXED"


@pytest.mark.usefixtures("pixels")
def test_a_pixel_without_an_exception_follows_the_longest_domain_above(cast: Cast) -> None:
    set_domain(cast, "DROP")

    assert shown(set_domain(cast, "DROP", ["1", "2"], domain="shop.example.com"))[2] == "DROP"
    assert shown(set_domain(cast, "PUBLISH", ["1", "2"], domain="www.example.com")) == (
        "DomainFilter:www.example.com:global",
        None,
        "MIXED",
    )


@pytest.mark.usefixtures("pixels")
def test_a_domain_is_kept_in_the_form_in_which_it_is_compared(cast: Cast) -> None:
    assert shown(set_domain(cast, "DROP", domain="München.DE")) == (
        "DomainFilter:xn--mnchen-3ya.de:global",
        None,
        "DROP",
    )
    set_domain(cast, "PUBLISH", domain="münchen.de")
    assert stored(DomainFilter) == {("xn--mnchen-3ya.de", None, "PUBLISH")}


@pytest.mark.parametrize(
    "name", ["Purchase ", " Purchase", "purchase", "Añadir al carrito 🛒", "a:b", "x" * 50, "'; --"]
)
def test_event_names_are_kept_as_they_are(cast: Cast, name: str) -> None:
    set_event(cast, "DROP", name="Purchase")

    assert set_event(cast, "DROP", name=name).name == name
    assert stored() == {("Purchase", None, "DROP"), (name, None, "DROP")}


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "nul\0", "line\n", "\ud800", "\x85"])
def test_other_event_names_are_refused(cast: Cast, name: str) -> None:
    before = snapshot()

    with pytest.raises(InvalidInput, match=r"^eventName: "):
        set_event(cast, "DROP", name=name)

    assert snapshot() == before


@pytest.mark.parametrize("state", ["MIXED", "drop", "", "BLOCK"])
def test_only_publish_and_drop_can_be_set(cast: Cast, state: str) -> None:
    before = snapshot()

    for set_filter in (set_event, set_domain):
        with pytest.raises(InvalidInput, match=r"^filterState: "):
            set_filter(cast, state)

    assert snapshot() == before


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("stranger", ["404", "", "nul\0", "\ud800", "foreign"])
def test_one_unknown_pixel_fails_the_whole_update(cast: Cast, stranger: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    set_event(cast, "PUBLISH", ["1"])
    before = snapshot()

    with pytest.raises(InvalidInput, match=r"^pixelIds: "):
        set_event(cast, "DROP", ["1", foreign.pixel_id if stranger == "foreign" else stranger])

    assert snapshot() == before


@pytest.mark.parametrize("who", ["vic", "vera", "olaf"])
def test_those_who_may_not_change_the_account_set_no_filter(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        set_event(cast, "DROP", principal=principal_of_user(getattr(cast, who)))

    assert not stored()


def test_filters_of_one_account_do_not_touch_another(cast: Cast) -> None:
    foreign = EventFilterFactory.create(pixel=PixelFactory.create(tenant=cast.other), event_name="Purchase")

    set_event(cast, "PUBLISH")

    foreign.refresh_from_db()
    assert foreign.state == "DROP"


@pytest.mark.usefixtures("pixels")
def test_the_audit_log_tells_the_state_before_and_after_by_pixel(cast: Cast) -> None:
    robot = principal_of_api_account(cast.robot)
    set_event(cast, "DROP", ["1", "2"], principal=robot)
    set_event(cast, "PUBLISH", ["2", "3"], principal=robot)
    set_event(cast, "DROP", principal=robot)

    entries = AuditEntry.objects.order_by("pk")
    assert {(entry.tenant_id, entry.actor, entry.act, entry.subject) for entry in entries} == {
        (cast.shoes.pk, "API account Robot", "update event filter", "Purchase")
    }
    assert [entry.changes for entry in entries] == [
        {"1": [None, "DROP"], "2": [None, "DROP"]},
        {"2": ["DROP", "PUBLISH"], "3": [None, "PUBLISH"]},
        {"all pixels": [None, "DROP"], "1": ["DROP", None], "2": ["PUBLISH", None], "3": ["PUBLISH", None]},
    ]


@pytest.mark.parametrize("set_filter", [set_event, set_domain])
@pytest.mark.parametrize("scope", ["all", "one", "several"])
def test_an_update_takes_as_many_statements_for_many_pixels_as_for_few(cast: Cast, set_filter: Any, scope: str) -> None:
    def statements(number: int) -> int:
        ids = [pixel.pixel_id for pixel in PixelFactory.create_batch(number, tenant=cast.shoes)]
        for pixel_id in ids:
            set_filter(cast, "PUBLISH", [pixel_id])
        EventFilterFactory.create_batch(number, tenant=cast.shoes)
        DomainFilterFactory.create_batch(number, tenant=cast.shoes)
        with CaptureQueriesContext(connection) as captured:
            set_filter(cast, "DROP", {"all": None, "one": ids[:1], "several": ids}[scope])
        return len(captured)

    assert statements(2) == statements(30) <= 8


def test_500_pixels_are_set_in_one_update(cast: Cast) -> None:
    ids = [pixel.pixel_id for pixel in PixelFactory.create_batch(500, tenant=cast.shoes)]

    assert shown(set_event(cast, "DROP", ids))[2] == "DROP"
    assert EventFilter.objects.count() == 500


@pytest.mark.parametrize("kind", ["event", "domain"])
def test_an_account_has_no_more_filters_than_it_may(cast: Cast, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(services, "MAX_FILTERS", 2)
    PixelFactory.create(tenant=cast.shoes, pixel_id="1")
    make = EventFilterFactory if kind == "event" else DomainFilterFactory
    make.create(tenant=cast.shoes, **{"event_name" if kind == "event" else "domain": "a.example.com"})
    make.create(tenant=cast.other)  # somebody else's count for them
    before = snapshot()

    def update(name: str, pixel_ids: Sequence[str] | None = None) -> FilterView:
        if kind == "event":
            return set_event(cast, "PUBLISH", pixel_ids, name=name)
        return set_domain(cast, "PUBLISH", pixel_ids, domain=name)

    update("b.example.com")
    update("b.example.com")  # which is no more than there was
    full = snapshot()
    with pytest.raises(InvalidInput, match="an account may have 2"):
        update("c.example.com")
    with pytest.raises(InvalidInput, match="an account may have 2"):
        update("a.example.com", ["1"])

    assert before != full == snapshot()
