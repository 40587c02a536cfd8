"""Staff see the portal as a person of an account does: looking, not acting, and on record."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import AuditEntry, RoleLevel, Tenant
from tests.base import Cast, login, snapshot
from tests.factories import MembershipFactory

BEGIN, END = "/see-as/", "/see-as/end/"


def begin(client: Client, user_pk: object) -> int:
    return client.post(BEGIN, {"user_pk": str(user_pk)}).status_code


def seen_by(client: Client) -> str:
    """Whose portal the client sees."""
    page = client.get("/hub/", follow=True)
    return str(page.context["user"].email)


def acts() -> list[tuple[str, str, str, str | None]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "act", "subject", "tenant_id"))


def test_a_host_admin_sees_as_a_person_and_ends_it(cast: Cast) -> None:
    staff = login(cast.hanna)

    assert begin(staff, cast.vic.pk) == 302
    assert seen_by(staff) == "vic@example.com"
    staff.post(END)
    assert seen_by(staff) == "hanna@example.com"
    assert acts() == [
        ("hanna@example.com", "start seeing as", "vic@example.com", cast.shoes.pk),
        ("hanna@example.com", "end seeing as", "vic@example.com", cast.shoes.pk),
    ]


def test_it_is_no_sign_in_of_the_person(cast: Cast) -> None:
    begin(login(cast.hanna), cast.vic.pk)

    cast.vic.refresh_from_db()
    assert cast.vic.last_login is None


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("milo", "vic"),  # no admin of the host
        ("vera", "vic"),
        ("ada", "vic"),  # no one of the host
        ("hanna", "bea"),  # whose account is closed to the host
        ("hanna", "milo"),  # of the host
    ],
)
def test_nobody_else_and_as_nobody_else(cast: Cast, who: str, whom: str) -> None:
    client = login(getattr(cast, who))
    before = snapshot()

    assert begin(client, getattr(cast, whom).pk) == 403
    assert seen_by(client) == f"{who}@example.com"
    assert snapshot() == before


def test_not_as_somebody_who_is_in_a_closed_account_too(cast: Cast) -> None:
    MembershipFactory.create(user=cast.vic, tenant=cast.books, level=RoleLevel.VIEW)

    assert begin(login(cast.hanna), cast.vic.pk) == 403


def test_not_as_somebody_who_may_not_sign_in(cast: Cast) -> None:
    cast.vic.status = cast.vic.Status.DEACTIVATED
    cast.vic.save()

    assert begin(login(cast.hanna), cast.vic.pk) == 403


def test_nothing_can_be_changed_meanwhile(cast: Cast) -> None:
    staff = login(cast.hanna)
    begin(staff, cast.ada.pk)
    before = snapshot()

    renamed = staff.post(f"/hub/capig/settings/name/?tenant={cast.shoes.pk}", {"name": "Boots"})
    by_api = staff.post("/hub/graphql/", {"query": "{ viewer { email } }"}, content_type="application/json")
    signed_out = staff.post("/auth/logout/")

    assert [answer.status_code for answer in (renamed, by_api, signed_out)] == [403, 403, 403]
    assert "You see this as somebody else, and can change nothing." in renamed.content.decode()
    assert snapshot() == before
    assert Tenant.objects.get(pk=cast.shoes.pk).name == "Shoes"
    assert seen_by(staff) == "ada@example.com"


def test_the_language_may_be_changed_meanwhile(cast: Cast) -> None:
    staff = login(cast.hanna)
    begin(staff, cast.ada.pk)

    assert staff.post("/i18n/setlang/", {"language": "es"}).status_code == 302


def test_a_banner_tells_and_ends_it(cast: Cast) -> None:
    staff = login(cast.hanna)
    assert END not in staff.get("/hub/").content.decode()
    begin(staff, cast.ada.pk)

    page = staff.get("/hub/", follow=True).content.decode()

    assert f'action="{END}"' in page
    assert "You see this as ada@example.com" in page


def test_what_would_be_refused_is_disabled_and_says_why(cast: Cast) -> None:
    """On every page: each form that posts, but for ending it and the language."""
    staff = login(cast.hanna)
    begin(staff, cast.ada.pk)
    for page in ("settings/", "users/", "users/invite/", f"users/{cast.vic.pk}/", "pixels/connect/", "websites/"):
        source = staff.get(f"/hub/capig/{page}?tenant={cast.shoes.pk}").content.decode()
        forms = re.findall(r'<form\b[^>]*method="post"[^>]*>.*?</form>', source, re.DOTALL)
        left = [form for form in forms if "<fieldset" not in form]
        assert len(left) == 2, page
        assert all('action="/see-as/end/"' in form or 'action="/i18n/setlang/"' in form for form in left)
        assert len(forms) > 2, page
        assert all('disabled aria-label="You see this as somebody else' in form for form in forms if form not in left)
        openers = re.findall(r"<button[^>]*popovertarget=(?![^>]*targetaction)[^>]*>", source)
        assert all(" disabled title=" in opener for opener in openers)


def test_who_sees_as_themselves_has_every_form(cast: Cast) -> None:
    page = login(cast.ada).get(f"/hub/capig/settings/?tenant={cast.shoes.pk}").content.decode()

    assert 'method="post"' in page
    assert "look-only" not in page


@pytest.mark.parametrize("where", ["user", "tenant"])
def test_it_ends_where_it_began(cast: Cast, where: str) -> None:
    began = f"/admin/accounts/{where}/{cast.vic.pk if where == 'user' else cast.shoes.pk}/change/"
    staff = login(cast.hanna)
    staff.post(BEGIN, {"user_pk": str(cast.vic.pk), "next": "/hub/"}, headers={"Referer": f"http://testserver{began}"})

    assert staff.post(END).headers["Location"] == began


@pytest.mark.parametrize("user_pk", ["", "1", "\x00", "0b0ae8c4-0000-4000-8000-000000000000"])
def test_whom_there_is_not(cast: Cast, user_pk: str) -> None:
    assert begin(login(cast.hanna), user_pk) == 404


def test_whom_nobody_names(cast: Cast) -> None:
    assert login(cast.hanna).post(BEGIN).status_code == 400
    ended = login(cast.hanna).post(END)
    assert ended.status_code == 403
    assert "You see this as yourself already." in ended.content.decode()
    assert Client().post(BEGIN, {"user_pk": str(cast.ada.pk)}).status_code == 302


def test_the_people_of_an_account_are_offered_on_its_page(cast: Cast) -> None:
    staff = login(cast.hanna)

    shoes = staff.get(f"/admin/accounts/tenant/{cast.shoes.pk}/change/").content.decode()
    books = staff.get(f"/admin/accounts/tenant/{cast.books.pk}/change/").content.decode()
    ada = staff.get(f"/admin/accounts/user/{cast.ada.pk}/change/").content.decode()

    assert all(str(person.pk) in shoes for person in (cast.ada, cast.max, cast.vic))
    assert BEGIN not in books
    assert str(cast.ada.pk) in ada
    assert BEGIN in ada
