"""The audit log in words."""

from __future__ import annotations

import re
import sys
from subprocess import run
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts import activity
from accounts.audit import MASK, Act, record
from accounts.models import AuditEntry, Tenant
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.api_accounts import CREATE_API_ACCOUNT
from accounts.services.host import UPDATE_HOST
from accounts.services.people import change_role_for_user
from accounts.services.tenants import UPDATE_ACCOUNT, update_tenant
from filters.services import update_domain_filter
from pixels.services import CONNECT, DISCONNECT, connect_pixel
from tests.accounts.pages import of, words
from tests.base import Cast, login
from tests.factories import PixelFactory


def entry(act: str = "update account", subject: str = "Shoes", /, **changes: Any) -> AuditEntry:
    return AuditEntry(actor="ada@example.com", act=act, subject=subject, changes=changes)


def in_words(entry: AuditEntry) -> list[tuple[str, str | None, str | None]]:
    return [(change.label, change.before, change.after) for change in activity.changes_of(entry)]


# --- The words -------------------------------------------------------------------------------------------------------


def test_an_act_is_told_as_a_sentence() -> None:
    assert activity.phrase_of(entry("connect pixel", "123")) == "connected pixel 123"


def test_an_act_without_words_is_told_as_it_was_recorded() -> None:
    assert activity.phrase_of(entry("water plants", "100%")) == "water plants: 100%"


@pytest.mark.parametrize("subject", ["100% cotton", "%(subject)s", "{0}"])
def test_a_subject_stands_as_it_is(subject: str) -> None:
    assert activity.phrase_of(entry("connect pixel", subject)) == f"connected pixel {subject}"


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("ada@example.com", "ada@example.com"),
        ("command line", "el operador de la pasarela"),
        ("API account Robot", "Cuenta de API Robot"),
    ],
)
def test_who_acted_is_told_in_the_readers_language(actor: str, shown: str) -> None:
    with translation.override("es"):
        assert activity.actor_of(AuditEntry(actor=actor)) == shown


def test_values_are_told_in_words() -> None:
    changes = {"name": ["Shoes", "Boots"], "status": [0, 2], "can_partner_manage": [True, False]}

    assert in_words(entry(**changes)) == [
        ("Name", "Shoes", "Boots"),
        ("Status", "Active", "Deactivated"),
        ("Managed by the host", "Yes", "No"),
    ]


def test_the_same_field_means_what_the_act_says() -> None:
    assert in_words(entry("change role", role=["view", "manage"])) == [("Role", "View only", "Standard")]
    assert in_words(entry("set data routing", status=[None, "VERIFIED"])) == [("Status", None, "Optimized")]
    assert in_words(entry("update event filter", **{"all pixels": [None, "DROP"]})) == [("All pixels", None, "Blocked")]
    assert in_words(entry("update domain filter", **{"123": ["DROP", "PUBLISH"]})) == [
        ("Pixel 123", "Blocked", "Permitted")
    ]


@pytest.mark.parametrize(("value", "shown"), [(9, "9"), ("x", "x"), ([1], "[1]"), ({"a": 1, "b": "x"}, "a: 1, b: x")])
def test_a_value_that_nobody_knows_any_more_is_told_as_it_is(value: object, shown: str) -> None:
    assert in_words(entry(status=[0, value])) == [("Status", "Active", shown)]


def test_an_empty_list_is_told_as_nothing() -> None:
    changes = {"blocked_event_types": [[], ["PageView", "Lead"]]}

    assert in_words(entry("update destination filter", **changes)) == [("Blocked events", None, "PageView, Lead")]


def test_a_secret_stays_one() -> None:
    assert in_words(entry("reconnect pixel", access_token=[MASK, MASK])) == [("Access token", "•••", "•••")]


@pytest.mark.parametrize("before", [None, MASK])
def test_the_first_token_of_a_pixel_is_no_change_of_token(before: str | None) -> None:
    assert in_words(entry("connect pixel", access_token=[before, MASK])) == [("Access token", None, "•••")]


def test_a_pixel_that_has_a_name_is_told_by_it(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, pixel_id="555001", name="Web shop")
    PixelFactory.create(tenant=cast.shoes, pixel_id="555002")
    update_domain_filter(
        principal=principal_of_user(cast.max),
        tenant_id=cast.shoes.pk,
        domain="example.com",
        state="DROP",
        pixel_ids=["555001", "555002"],
    )

    page = words(login(cast.ada).get(of(cast.shoes, "activity/")))

    assert "Web shop (555001): Blocked" in page
    assert "Pixel 555002: Blocked" in page


def test_a_process_that_serves_pages_knows_the_words_of_every_act() -> None:
    """An act brings its words where it is declared, so that module must be imported."""
    floors = ("accounts", "pixels", "filters", "pipelines", "events", "alerts", "portal")
    sources = [file.read_text(encoding="utf-8") for floor in floors for file in settings.ROOT.glob(f"{floor}/**/*.py")]
    declared = {name for source in sources for name in re.findall(r'\bAct\(\s*"([^"]+)"', source)}
    program = "import django; django.setup(); import portal.urls, accounts.audit as log; print(*log.ACTS, sep=',')"

    known = run([sys.executable, "-c", program], cwd=settings.ROOT, check=True, capture_output=True, text=True).stdout

    assert len(declared) > 40
    assert declared == set(known.strip().split(","))


def test_an_act_has_its_name_to_itself() -> None:
    with pytest.raises(ValueError, match="connect pixel"):
        Act("connect pixel", gettext_lazy("connected"))


# --- The page --------------------------------------------------------------------------------------------------------


def test_the_people_of_an_account_read_what_was_done_there(cast: Cast) -> None:
    ada = principal_of_user(cast.ada)
    update_tenant(principal=ada, tenant_id=cast.shoes.pk, name="Boots")
    connect_pixel(
        principal=ada,
        tenant_id=cast.shoes.pk,
        pixel_id="123",
        business_id="1",
        access_token="a-very-secret-token",
        external_id="",
    )
    update_domain_filter(principal=ada, tenant_id=cast.shoes.pk, domain="example.com", state="DROP")
    change_role_for_user(principal=ada, user_id=str(cast.vic.pk), role_to_add=f"advertiser-manage-{cast.shoes.pk}")

    page = login(cast.vic).get(of(cast.shoes, "activity/"))

    assert "ada@example.com changed the settings of the account Boots" in words(page)
    assert "Name: Shoes Boots" in words(page)
    assert "ada@example.com connected pixel 123" in words(page)
    assert "changed the filter of the website example.com" in words(page)
    assert "ada@example.com changed the role of vic@example.com Role: View only Standard" in words(page)
    assert "a-very-secret-token" not in page.content.decode()


def test_the_latest_comes_first_and_pages_are_short(cast: Cast) -> None:
    for number in range(30):
        record(OPERATOR, CONNECT, number, tenant=cast.shoes)
    vic = login(cast.vic)

    shown = vic.get(of(cast.shoes, "activity/")).context["table"].paginated_rows
    assert [row.record.entry.subject for row in shown] == [str(number) for number in range(29, 4, -1)]
    assert "connected pixel 4" in words(vic.get(of(cast.shoes, "activity/", page="2")))


def test_entries_are_found_by_act_and_actor(cast: Cast) -> None:
    record(principal_of_user(cast.ada), CONNECT, "111", tenant=cast.shoes)
    record(principal_of_user(cast.max), DISCONNECT, "222", tenant=cast.shoes)
    vic = login(cast.vic)

    assert "222" not in words(vic.get(of(cast.shoes, "activity/", act="connect pixel")))
    assert "111" not in words(vic.get(of(cast.shoes, "activity/", actor="MAX@")))
    assert "Nothing like that was done" in words(vic.get(of(cast.shoes, "activity/", actor="olaf")))


@pytest.mark.parametrize("query", [{"act": "x"}, {"actor": "\0"}, {"actor": "x" * 999}, {"page": "x"}])
def test_an_odd_address_shows_a_list_all_the_same(cast: Cast, query: dict[str, str]) -> None:
    assert login(cast.vic).get(of(cast.shoes, "activity/", **query)).status_code == 200


def test_an_account_in_which_nothing_was_done_says_so(cast: Cast) -> None:
    assert "Nothing was changed yet" in words(login(cast.vic).get(of(cast.shoes, "activity/")))


def test_nobody_reads_of_another_account(cast: Cast) -> None:
    record(OPERATOR, CONNECT, "the books' pixel", tenant=cast.books)
    record(OPERATOR, UPDATE_HOST, "the host's own", tenant=None)

    for who in (cast.ada, cast.hanna):
        assert list(login(who).get(of(cast.shoes, "activity/")).context["table"].paginated_rows) == []
    assert login(cast.hanna).get(of(cast.books, "activity/")).status_code == 403
    assert login(cast.olaf).get(of(cast.books, "activity/")).status_code == 404


def test_the_host_reads_of_itself_alone(cast: Cast) -> None:
    record(OPERATOR, CONNECT, "the shoes' pixel", tenant=cast.shoes)
    record(OPERATOR, CREATE_API_ACCOUNT, "Till", tenant=None)

    page = words(login(cast.vera).get("/hub/settings/activity/"))

    assert "made the API account Till" in page
    assert "the shoes' pixel" not in page
    assert login(cast.ada).get("/hub/settings/activity/").status_code == 404


def test_many_entries_cost_as_many_queries_as_few(cast: Cast) -> None:
    def fill(tenant: Tenant, count: int) -> int:
        for number in range(count):
            record(OPERATOR, UPDATE_ACCOUNT, number, tenant=tenant, changes={"name": ["a", "b"]})
        client = login(cast.vic)
        with CaptureQueriesContext(connection) as captured:
            client.get(of(tenant, "activity/"))
        return len(captured)

    assert fill(cast.shoes, 2) == fill(cast.shoes, 40) <= 12
