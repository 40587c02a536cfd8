"""Django admin: for the host's admins, within their borders, through the services."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import ApiAccount, AuditEntry, Membership, Tenant, TenantStatus, User
from accounts.principals import OPERATOR
from accounts.services.api_accounts import update_api_account
from filters.models import EventFilter
from pixels.imports import start_import
from pixels.models import Pixel
from tests.base import Cast, login
from tests.factories import EventFilterFactory, InvitationFactory, PixelFactory

MODELS = sorted((model._meta.app_label, model._meta.model_name or "") for model in admin.site._registry)


@pytest.fixture
def staff(cast: Cast) -> Client:
    return login(cast.hanna)


@pytest.fixture
def two_pixels(cast: Cast) -> tuple[Pixel, Pixel]:
    """One in Shoes, one in Books, which is closed to the host."""
    return PixelFactory.create(tenant=cast.shoes, pixel_id="1110001110001"), PixelFactory.create(
        tenant=cast.books, pixel_id="2220002220002"
    )


@pytest.mark.parametrize(("app", "model"), MODELS)
def test_every_list_opens(staff: Client, two_pixels: object, app: str, model: str) -> None:
    EventFilterFactory.create(pixel=Pixel.objects.get(pixel_id="1110001110001"))
    InvitationFactory.create()
    assert staff.get(f"/admin/{app}/{model}/?q=a").status_code == 200


@pytest.mark.parametrize("name", ["milo", "vera", "ada", "vic"])
def test_only_the_hosts_admins_get_in(cast: Cast, name: str) -> None:
    assert login(getattr(cast, name)).get("/admin/").status_code == 302


def test_an_account_of_its_own_is_closed_to_staff(staff: Client, cast: Cast, two_pixels: tuple[Pixel, Pixel]) -> None:
    _, books = two_pixels
    page = staff.get("/admin/pixels/pixel/").content.decode()
    assert "1110001110001" in page
    assert "2220002220002" not in page
    assert staff.get(f"/admin/pixels/pixel/{books.pk}/change/").status_code == 302
    assert cast.bea.email not in staff.get("/admin/accounts/membership/").content.decode()
    assert cast.bea.email not in staff.get("/admin/accounts/user/").content.decode()


OF_ALL_ACCOUNTS = [("accounts", model) for model in ("accesstoken", "apiaccount", "tenant", "usagesnapshot")]


@pytest.mark.parametrize(("app", "model"), MODELS)
def test_a_list_says_what_it_leaves_out(staff: Client, cast: Cast, app: str, model: str) -> None:
    left_out = "1 account manages itself. What belongs to it is not listed here."
    assert (left_out in staff.get(f"/admin/{app}/{model}/").content.decode()) is ((app, model) not in OF_ALL_ACCOUNTS)
    cast.books.can_partner_manage = True
    cast.books.save()
    assert "manages itself" not in staff.get(f"/admin/{app}/{model}/").content.decode()


def test_an_empty_list_says_why_it_is_empty(staff: Client) -> None:
    nothing_yet, not_found = "There is nothing here yet.", "Nothing matches the search and the filters."
    page = staff.get("/admin/pixels/pixelimport/").content.decode()
    assert nothing_yet in page
    assert not_found not in page
    for narrowed in ("q=unknown", "started__exact=1"):
        page = staff.get(f"/admin/pixels/pixelimport/?{narrowed}").content.decode()
        assert not_found in page
        assert nothing_yet not in page


def test_an_import_shows_the_fates_of_its_lines_and_no_token(staff: Client, cast: Cast) -> None:
    content = b"pixel_id,business_id,access_token\n18904456377094530,1,the-token-of-a-line\nno number,1,another\n"
    batch = start_import(principal=OPERATOR, tenant_id=cast.shoes.pk, content=content)
    hidden = start_import(principal=OPERATOR, tenant_id=cast.books.pk, content=content)

    page = staff.get(f"/admin/pixels/pixelimport/{batch.pk}/change/").content.decode()
    assert "Will be connected: 1, Refused: 1" in page
    assert "the-token-of-a-line" not in page
    assert staff.get(f"/admin/pixels/pixelimport/{hidden.pk}/change/").status_code == 302


def test_no_page_shows_a_secret(staff: Client, cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    page = staff.get(f"/admin/pixels/pixel/{pixel.pk}/change/").content.decode()
    assert pixel.access_key not in page
    assert "the token of a test" not in page
    account = staff.get(f"/admin/accounts/apiaccount/{cast.robot.pk}/change/").content.decode()
    assert cast.robot.secret_hash not in account
    person = staff.get(f"/admin/accounts/user/{cast.ada.pk}/change/").content.decode()
    assert "password" not in person.lower().replace("password_change", "").replace("change password", "")


def test_staff_open_an_account_through_the_service(staff: Client) -> None:
    staff.post("/admin/accounts/tenant/add/", {"name": "New", "admin_email": "nora@example.com"})
    tenant = Tenant.objects.get(name="New")
    assert tenant.status == TenantStatus.PENDING
    assert set(AuditEntry.objects.values_list("act", flat=True)) == {"create account", "add person"}


def test_a_refusal_of_the_service_is_said_on_the_page(staff: Client) -> None:
    page = staff.post("/admin/accounts/tenant/add/", {"name": "New"})
    assert 'value="New"' in page.content.decode()
    assert "adminEmail: is required where canPartnerManage is false." in page.content.decode()
    assert not Tenant.objects.filter(name="New").exists()


def test_staff_deactivate_an_account(staff: Client, cast: Cast) -> None:
    staff.post(
        f"/admin/accounts/tenant/{cast.shoes.pk}/change/",
        {"name": "Shoes", "can_partner_manage": "on", "status": "2", "time_zone": "UTC"},
    )
    cast.shoes.refresh_from_db()
    assert cast.shoes.status == TenantStatus.DEACTIVATED
    assert AuditEntry.objects.get().changes == {"status": [0, 2]}


def test_staff_delete_an_account(staff: Client, cast: Cast) -> None:
    staff.post(f"/admin/accounts/tenant/{cast.shoes.pk}/delete/", {"post": "yes"})
    assert not Tenant.objects.filter(pk=cast.shoes.pk).exists()


def test_staff_add_and_revoke_a_role(staff: Client, cast: Cast) -> None:
    added = staff.post(
        "/admin/accounts/membership/add/",
        {"email": "nora@example.com", "tenant": cast.shoes.pk, "level": "view"},
        follow=True,
    )
    assert "/auth/verify/?token=" in added.content.decode()
    membership = Membership.objects.get(user__email="nora@example.com")
    staff.post(f"/admin/accounts/membership/{membership.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_staff_cannot_remove_the_last_admin(staff: Client, cast: Cast) -> None:
    membership = Membership.objects.get(user=cast.ada)
    page = staff.post(f"/admin/accounts/membership/{membership.pk}/delete/", {"post": "yes"}, follow=True)
    assert "last admin" in page.content.decode()
    assert Membership.objects.filter(pk=membership.pk).exists()


def test_an_api_account_needs_the_persons_own_password(staff: Client, cast: Cast) -> None:
    cast.hanna.set_password("correct horse battery")
    cast.hanna.save()
    staff.force_login(cast.hanna)
    staff.post("/admin/accounts/apiaccount/add/", {"name": "Partner", "password": "wrong"})
    assert not ApiAccount.objects.filter(name="Partner").exists()
    page = staff.post(
        "/admin/accounts/apiaccount/add/", {"name": "Partner", "password": "correct horse battery"}, follow=True
    )
    assert "shown this once" in page.content.decode()


def test_staff_switch_a_pixel_off(staff: Client, two_pixels: tuple[Pixel, Pixel]) -> None:
    shoes, _ = two_pixels
    staff.post(f"/admin/pixels/pixel/{shoes.pk}/change/", {"event_bridge_active": "on"})
    shoes.refresh_from_db()
    assert (shoes.event_bridge_active, shoes.publishing_enabled) == (True, False)
    assert AuditEntry.objects.get().act == "disable publishing"


def test_staff_rename_a_pixel(staff: Client, two_pixels: tuple[Pixel, Pixel]) -> None:
    shoes, _ = two_pixels
    switches = {"event_bridge_active": "on", "publishing_enabled": "on"}
    staff.post(f"/admin/pixels/pixel/{shoes.pk}/change/", {"name": "Outlet", **switches})
    assert Pixel.objects.get(pk=shoes.pk).name == "Outlet"
    assert AuditEntry.objects.get().act == "rename pixel"


def test_staff_switch_a_filter(staff: Client, two_pixels: tuple[Pixel, Pixel]) -> None:
    row = EventFilterFactory.create(pixel=two_pixels[0], event_name="Lead")
    staff.post("/admin/filters/eventfilter/", {"action": "publish", "_selected_action": [row.pk]})
    assert EventFilter.objects.get(event_name="Lead").state == "PUBLISH"


def test_staff_remain_staff_only_while_active(cast: Cast) -> None:
    browser = login(cast.hanna)
    User.objects.filter(pk=cast.hanna.pk).update(status=User.Status.DEACTIVATED)
    assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize("path", ["/admin/", "/admin/filters/"])
def test_the_first_pages_tell_htmx_to_write_no_style_into_them(staff: Client, path: str) -> None:
    assert "includeIndicatorStyles" in staff.get(path).content.decode()


def test_what_somebody_else_has_bounded_meanwhile_stays_bounded(staff: Client, cast: Cast) -> None:
    page = f"/admin/accounts/apiaccount/{cast.robot.pk}/change/"
    form = staff.get(page).context["adminform"].form
    shown = form.as_p()
    assert all(f'name="initial-{name}' in shown for name in ("read_only", "tenant", "expires_at"))
    assert 'name="initial-read_only"' in staff.get(page).content.decode()
    update_api_account(principal=OPERATOR, name="Robot", read_only=True, tenant_id=cast.shoes.pk)

    staff.post(page, {"tenant": "", "initial-tenant": "", "expires_at_0": "2030-01-01", "expires_at_1": "12:00"})

    cast.robot.refresh_from_db()
    assert (cast.robot.read_only, cast.robot.tenant) == (True, cast.shoes)
    assert f"{cast.robot.expires_at:%Y-%m-%d}" == "2030-01-01"


def test_staff_bound_an_api_account_and_give_it_a_new_secret(staff: Client, cast: Cast) -> None:
    cast.hanna.set_password("correct horse battery")
    cast.hanna.save()
    staff.force_login(cast.hanna)
    page = f"/admin/accounts/apiaccount/{cast.robot.pk}/change/"
    scope = {"read_only": "on", "tenant": cast.shoes.pk, "overlap_hours": "24"}

    bounded = staff.post(page, scope, follow=True)
    refused = staff.post(page, scope | {"new_secret": "on", "password": "wrong"})
    renewed = staff.post(page, scope | {"new_secret": "on", "password": "correct horse battery"}, follow=True)

    cast.robot.refresh_from_db()
    assert (cast.robot.read_only, cast.robot.tenant) == (True, cast.shoes)
    assert "must be your own password" in refused.content.decode()
    assert ["shown this once" in answer.content.decode() for answer in (bounded, refused, renewed)] == [
        *(False, False, True)
    ]
    assert [entry.act for entry in AuditEntry.objects.all()] == ["rotate API account", "update API account"]
