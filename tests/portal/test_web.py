"""What every page has in common (accounts.web): its borders, and how a service's refusal is shown."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Tenant, User
from tests.base import Cast, login
from tests.factories import TenantFactory

pytestmark = pytest.mark.urls("tests.portal.pages")


def at(page: str, tenant: Tenant | str) -> str:
    return f"{page}?tenant={tenant.pk if isinstance(tenant, Tenant) else tenant}"


def test_nobody_sees_a_page_before_signing_in(cast: Cast, client: Client) -> None:
    page = client.get(at("/look/", cast.shoes))

    assert page.status_code == 302
    assert page.headers["Location"] == f"/auth/login/?next=/look/%3Ftenant%3D{cast.shoes.pk}"


def test_a_fragment_that_comes_too_late_sends_the_whole_page_to_sign_in(cast: Cast, client: Client) -> None:
    shown = f"http://testserver{at('/anybody/', cast.shoes)}"
    answer = client.get(at("/look/", cast.shoes), headers={"HX-Request": "true", "HX-Current-URL": shown})

    assert answer.headers["HX-Redirect"].startswith("/auth/login/?next=")
    assert "anybody" in answer.headers["HX-Redirect"]


def test_a_form_that_comes_too_late_leads_back_to_its_page(cast: Cast, client: Client) -> None:
    shown = f"http://testserver{at('/anybody/', cast.shoes)}"
    answer = client.post(at("/edit-people/", cast.shoes), headers={"Referer": shown})

    assert answer.status_code == 302
    assert "anybody" in answer.headers["Location"]
    assert "edit-people" not in answer.headers["Location"]


@pytest.mark.parametrize("who", ["ada", None])
def test_the_address_of_a_button_has_a_page_that_says_so(cast: Cast, client: Client, who: str | None) -> None:
    page = (login(cast.ada) if who else client).get(at("/hub/capig/settings/status/", cast.shoes))

    assert (page.status_code, page.headers["Allow"]) == (405, "POST")
    assert "There is no page at this address" in page.content.decode()


@pytest.mark.parametrize("path", ["/hub/graphql/", "/clients/token"])
def test_software_is_told_in_its_own_words(cast: Cast, path: str) -> None:
    refused = login(cast.ada).put(path)

    assert refused.status_code == 405
    assert "<html" not in refused.content.decode()


@pytest.mark.parametrize(
    ("who", "shown"), [("ada", "Shoes True"), ("max", "Shoes True"), ("vic", "Shoes False"), ("vera", "Shoes False")]
)
def test_a_page_knows_the_account_and_what_may_be_done_there(cast: Cast, who: str, shown: str) -> None:
    assert login(getattr(cast, who)).get(at("/look/", cast.shoes)).content.decode() == shown


@pytest.mark.parametrize("tenant", ["", "x", "zzzzzzzz", "\0", "é" * 8, "a" * 5000])
def test_an_unknown_account_is_not_found(cast: Cast, tenant: str) -> None:
    assert login(cast.hanna).get("/look/", {"tenant": tenant}).status_code == 404


def test_an_outsider_cannot_tell_an_account_from_none(cast: Cast) -> None:
    outsider = login(cast.olaf)
    hidden, missing = outsider.get(at("/look/", cast.shoes)), outsider.get(at("/look/", "zzzzzzzz"))

    assert hidden.status_code == missing.status_code == 404
    assert "Shoes" not in hidden.content.decode()


def test_the_host_is_kept_out_of_the_data_of_an_account_of_its_own(cast: Cast) -> None:
    assert login(cast.hanna).get(at("/look/", cast.books)).status_code == 403
    assert login(cast.bibi).get(at("/look/", cast.books)).status_code == 200


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("max", 403), ("vic", 403), ("olaf", 404)])
def test_a_page_can_ask_for_more_than_a_look(cast: Cast, who: str, status: int) -> None:
    assert login(getattr(cast, who)).post(at("/edit-people/", cast.shoes)).status_code == status


@pytest.mark.parametrize(("who", "status"), [("hanna", 200), ("milo", 403), ("vera", 403), ("ada", 404), ("olaf", 404)])
def test_a_page_of_the_host_is_not_there_for_others(cast: Cast, who: str, status: int) -> None:
    assert login(getattr(cast, who)).get("/host-keys/").status_code == status


def test_who_can_change_a_role_is_said_of_the_place_that_it_is_in(cast: Cast) -> None:
    at_host = login(cast.milo).get("/hub/settings/users/invite/").content.decode()
    in_account = login(cast.max).get(at("/edit-people/", cast.shoes)).content.decode()
    in_admin = login(cast.ada).get("/admin/").content.decode()

    assert "An admin of the host can change your role." in at_host
    assert "An admin of the account can change your role." in in_account
    assert "can change your role" not in in_admin


def test_a_deactivated_person_is_out_at_once(cast: Cast) -> None:
    client = login(cast.ada)
    User.objects.filter(pk=cast.ada.pk).update(status=User.Status.DEACTIVATED)

    assert client.get(at("/look/", cast.shoes)).status_code == 302


def test_pages_are_not_kept_by_browsers(cast: Cast) -> None:
    page = login(cast.ada).get(at("/look/", cast.shoes))

    assert page.headers["Cache-Control"] == "private, no-store"


def test_a_refusal_that_a_view_did_not_handle_is_said_on_the_page_it_came_from(cast: Cast) -> None:
    client = login(cast.ada)
    here = f"http://testserver{at('/anybody/', cast.shoes)}"
    answer = client.post(at("/refuse/input/", cast.shoes), headers={"Referer": here})

    assert answer.headers["Location"] == here.removeprefix("http://testserver")
    assert "Must be 1 to 20 digits." in client.get("/anybody/").content.decode()


def test_a_refused_request_of_htmx_loads_the_page_again(cast: Cast) -> None:
    here = f"http://testserver{at('/anybody/', cast.shoes)}"
    answer = login(cast.ada).post(
        at("/refuse/conflict/", cast.shoes), headers={"HX-Request": "true", "HX-Current-URL": here}
    )

    assert answer.headers["HX-Redirect"] == here.removeprefix("http://testserver")


def test_a_refusal_never_leads_to_another_site(cast: Cast) -> None:
    answer = login(cast.ada).post(at("/refuse/input/", cast.shoes), headers={"Referer": "https://evil.example/"})

    assert answer.headers["Location"] == "/hub/"


def test_a_refused_right_is_403_and_a_missing_thing_404(cast: Cast) -> None:
    client = login(cast.ada)

    assert client.post(at("/refuse/right/", cast.shoes)).status_code == 403
    assert client.get(at("/refuse/missing/", cast.shoes)).status_code == 404


def test_a_form_says_what_the_service_refused_at_the_field(cast: Cast) -> None:
    form = login(cast.ada).post(at("/refuse-form/input/", cast.shoes), {"pixel_id": "x1"}).content.decode()

    assert "Must be 1 to 20 digits." in form
    assert 'value="x1"' in form
    assert "pixelId" not in form


def test_a_form_says_above_itself_what_is_about_none_of_its_fields(cast: Cast) -> None:
    form = login(cast.ada).post(at("/refuse-form/conflict/", cast.shoes), {"pixel_id": "1"}).content.decode()

    assert "This person has a role here already." in form


def test_the_selector_is_bounded(cast: Cast) -> None:
    for number in range(30):
        TenantFactory.create(name=f"Account {number:02}")

    page = login(cast.hanna).get("/anybody/").content.decode()

    assert page.count("?tenant=") == 20
    assert "Account 00" in page
    assert "Account 29" not in page


@pytest.mark.parametrize("search", ["account 29", "ACCOUNT 29", "NT 29"])
def test_the_selector_finds_every_account_by_a_part_of_its_name(cast: Cast, search: str) -> None:
    for number in range(30):
        TenantFactory.create(name=f"Account {number:02}")
    hanna = login(cast.hanna)

    found = hanna.get("/hub/choose/", {"search": search}, headers={"HX-Request": "true"}).content.decode()

    assert "Account 29" in found
    assert found.count("?tenant=") == 1
    # Without a script the list does the same.
    assert hanna.get("/hub/choose/", {"search": search}, follow=True).content.decode().count("Account 29") > 0


def test_the_selector_finds_no_account_of_others(cast: Cast) -> None:
    for person, hidden in ((cast.ada, "Other"), (cast.hanna, "Books")):
        found = login(person).get("/hub/choose/", {"search": hidden}, headers={"HX-Request": "true"}).content.decode()
        assert "?tenant=" not in found


@pytest.mark.parametrize("page", ["/hub/capig/", "/hub/capig/pixels/?state=idle", "/hub/capig/users/"])
def test_a_page_without_an_account_is_of_ones_only_account_or_leads_to_the_list(cast: Cast, page: str) -> None:
    own = login(cast.ada).get(page).headers["Location"]
    path, _, query = page.partition("?")
    assert own.startswith(f"{path}?")
    assert own.endswith(f"tenant={cast.shoes.pk}")
    assert query in own
    assert login(cast.ada).get(own).status_code == 200
    assert login(cast.hanna).get(page).headers["Location"] == "/hub/"
    assert login(cast.ada).get(f"{path}?tenant=").status_code == 404


def test_the_selector_has_only_ones_own_accounts(cast: Cast) -> None:
    page = login(cast.ada).get("/anybody/").content.decode()

    assert "Shoes" in page
    assert "Other" not in page


def test_an_error_of_ours_shows_nothing_of_it(cast: Cast) -> None:
    client = login(cast.ada)
    client.raise_request_exception = False
    page = client.get(at("/broken/", cast.shoes))

    assert page.status_code == 500
    assert "Something went wrong" in page.content.decode()
    assert "secret" not in page.content.decode()
