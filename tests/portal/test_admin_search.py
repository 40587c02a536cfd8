"""Staff find what they look for, and see at once what is wrong."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, UsageSnapshot
from events.models import Lane
from tests.base import Cast, login, tenant
from tests.factories import (
    DeadLetterFactory,
    DeliveryFactory,
    EventFilterFactory,
    MembershipFactory,
    PixelFactory,
)


@pytest.fixture
def staff(cast: Cast) -> Client:
    return login(cast.hanna)


def rows(staff: Client, where: str, term: str) -> list[str]:
    """The rows that a search finds, as text."""
    answer = staff.get(f"/admin/{where}/", {"q": term})
    return sorted(map(str, answer.context["cl"].result_list))


@pytest.mark.parametrize(
    ("where", "term"),
    [
        ("accounts/tenant", "hop"),
        ("accounts/membership", "SHOES"),
        ("accounts/membership", "da@example"),
        ("accounts/user", "hoes"),
        ("accounts/user", "ada"),
        ("accounts/usagesnapshot", "shoes"),
        ("accounts/auditentry", "shoes"),
        ("accounts/auditentry", "ada@"),
        ("pixels/pixel", "web sho"),
        ("pixels/pixel", "1890445"),
        ("pixels/pixel", "shoes"),
        ("filters/eventfilter", "AddTo"),
        ("filters/eventfilter", "web shop"),
        ("events/deliverybatch", "order-1"),
        ("events/deliverybatch", "18904456377094531"),
        ("events/deliverybatch", "web shop"),
        ("events/deliverybatch", "shoes"),
        ("events/deadletter", "order-2"),
        ("events/lane", "web"),
    ],
)
def test_staff_search_by_what_they_know(where: str, term: str, cast: Cast, staff: Client) -> None:
    cast.shoes.name = "Shop of shoes"
    cast.shoes.save()
    pixel = PixelFactory.create(tenant=cast.shoes, pixel_id="18904456377094531", name="Web shop")
    other = PixelFactory.create(tenant=cast.other, name="Else")
    for one, event_id in ((pixel, "order-1"), (other, "elsewhere")):
        DeliveryFactory.create(pixel=one, event_id=event_id)
        EventFilterFactory.create(pixel=one, event_name="AddToCart" if one is pixel else "Else")
        Lane.objects.create(pixel=one)
    DeadLetterFactory.create(pixel=pixel, event_id="order-2")
    AuditEntry.objects.create(tenant_id=cast.shoes.pk, actor="ada@example.com", act="pixel.connect", subject="x")
    AuditEntry.objects.create(tenant_id=cast.other.pk, actor="olaf@example.com", act="pixel.connect", subject="y")

    assert rows(staff, where, term)
    assert len(rows(staff, where, term)) < len(rows(staff, where, "")) or where == "events/deadletter"
    assert rows(staff, where, f"{term}-nothing") == []


def test_a_search_finds_nobody_by_an_account_that_is_closed_to_the_host(cast: Cast, staff: Client) -> None:
    MembershipFactory.create(user=cast.ada, tenant=cast.books)

    assert rows(staff, "accounts/user", "Books") == []
    assert rows(staff, "accounts/membership", "Books") == []


@pytest.mark.parametrize("broken", [True, False])
def test_what_is_wrong_is_red_and_all_else_green(broken: bool, staff: Client) -> None:
    account = tenant("Watched")
    pixel = PixelFactory.create(tenant=account, bad_token=broken)
    Lane.objects.create(pixel=pixel, held=broken)
    UsageSnapshot.objects.filter(tenant=account).update(publish_error=broken)
    pages = {
        f"/admin/pixels/pixel/?q={pixel.pixel_id}": "access token accepted",
        f"/admin/pixels/pixel/{pixel.pk}/change/": "access token accepted",
        f"/admin/events/lane/?q={pixel.pixel_id}": "may publish",
        "/admin/accounts/usagesnapshot/?q=Watched": "published without errors",
    }
    for page, heading in pages.items():
        shown = staff.get(page).content.decode()

        assert heading in shown.lower(), page
        assert shown.count("close_small") == broken, page  # the red icon


def test_an_audit_entry_tells_its_time(cast: Cast, staff: Client) -> None:
    entry = AuditEntry.objects.create(tenant_id=cast.shoes.pk, actor="ada@example.com", act="act", subject="x")

    shown = staff.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).content.decode()

    assert str(timezone.now().year) in shown
    assert f"{entry.at:%H:%M}" in shown


@pytest.mark.parametrize(
    "term", ["a " * 1_200, "a" * 60_000, "'a " * 300, "\0 " * 1_200], ids=["words", "long", "open", "nul"]
)
def test_a_search_for_very_much_is_cut(term: str, staff: Client) -> None:
    """Each word is a condition for each column, of which databases take so many."""
    for model, page in admin.site._registry.items():
        if page.search_fields:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert staff.get(address, {"q": term}).status_code == 200, address
    assert staff.get("/admin/search/", {"s": term}).status_code == 200


def test_what_is_left_of_it_is_searched_for(cast: Cast, staff: Client) -> None:
    assert rows(staff, "accounts/user", f"  ada   example {'com ' * 100}") == [cast.ada.email]
