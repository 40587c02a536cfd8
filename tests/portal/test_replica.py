"""Pages that a replica tells. The test's own database stands in for one, on connections that may not write.

tests/slow/test_replica.py has a real standby.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connection, connections, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from limits import parse
from pytest_django import Settings

from accounts.models import Tenant
from common import query_timeout, replica_pages
from common.errors import NotAuthorized, TimedOut, unavailable
from common.postgresql import replica as machinery
from common.postgresql.base import DatabaseWrapper
from common.postgresql.replica import _Primary, at_primary, replica
from common.query_timeout import limited_reads
from common.replica_pages import COOKIE, read_page
from events.intake.pixel_settings import forget_pixel_settings, get_pixel_settings
from tests.addresses import address
from tests.base import HUB, Cast, client_of, graphql, login, make_cast
from tests.factories import ApiAccountFactory, PixelFactory, TenantFactory
from tests.instance import free_port
from tests.permissions.test_pages import PAGES
from tests.replica import forget_replica

pytestmark = pytest.mark.django_db(transaction=True)

Reads = list[str]
#: As a standby tells how far it has come.
_REPLAYED = f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, ({machinery._DATABASE})".encode()


@pytest.fixture
def reads(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """How each page was read, in a process that has a replica."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no replicas")
    own = connection.settings_dict
    options = {**own["OPTIONS"], "options": "-c default_transaction_read_only=on"}
    settings.DATABASE_REPLICA = {name: own[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")} | {
        "OPTIONS": options
    }
    found: Reads = []
    monkeypatch.setattr(machinery, "_REPLAYED", _REPLAYED)
    monkeypatch.setattr(replica_pages, "note_replica", found.append)
    forget_replica()
    yield found
    forget_replica()


@pytest.fixture
def stage(transactional_db: None) -> Cast:
    return make_cast()


def page_of(view: Callable[[], HttpResponse], request: HttpRequest | None = None) -> HttpResponse:
    answer = read_page(request or RequestFactory().get("/hub/"), view)
    assert isinstance(answer, HttpResponse)
    return answer


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def is_replica() -> bool:
    return connections[DEFAULT_DB_ALIAS].alias == "replica"


def where(seen: list[bool]) -> Callable[[], HttpResponse]:
    """A page that notes where it was read."""

    def view() -> HttpResponse:
        seen.append(is_replica())
        ask("SELECT 1")
        return HttpResponse("made")

    return view


# --- Which pages -----------------------------------------------------------------------------------------------------
def test_every_page_can_be_read_from_a_replica(stage: Cast, reads: Reads, subtests: pytest.Subtests) -> None:
    """None of them writes where it only shows something."""
    pixel = PixelFactory.create(tenant=stage.shoes)
    host = login(stage.hanna)
    names = [page.name for page in PAGES if page.rights["GET"]]
    paths = {name: address(name, pixel, stage.vic.pk, stage.vera.pk) for name in names}
    for name, path in paths.items():
        with subtests.test(name):
            reads.clear()
            answer = host.get(path)
            assert answer.status_code in (200, 302)
            assert reads == ["replica"]


def test_staffs_pages_are_read_from_it(stage: Cast, reads: Reads, subtests: pytest.Subtests) -> None:
    host = login(stage.hanna)
    for path in ("/admin/", "/admin/accounts/tenant/", f"/admin/accounts/tenant/{stage.shoes.pk}/change/"):
        with subtests.test(path):
            reads.clear()
            assert host.get(path).status_code == 200
            assert reads == ["replica"]


def test_what_writes_and_what_software_asks_is_not(stage: Cast, reads: Reads) -> None:
    host = login(stage.hanna)
    answer = host.post("/hub/add-account/", {"name": ""})
    assert answer.status_code != 500
    graphql(client_of(ApiAccountFactory.create()), HUB, "{ viewer { kind } }")
    host.get("/auth/login/")
    host.get("/healthz")

    assert reads == []


def test_what_was_left_open_in_a_transaction_stays_there(reads: Reads) -> None:
    seen: list[bool] = []
    with transaction.atomic():
        page_of(where(seen))

    assert (seen, reads) == ([False], [])


def test_without_a_replica_nothing_is_asked(settings: Settings) -> None:
    assert replica() is None
    assert page_of(lambda: HttpResponse("made")).content == b"made"


# --- One's own changes -----------------------------------------------------------------------------------------------
def test_who_changed_something_is_given_a_position(stage: Cast, reads: Reads) -> None:
    host = login(stage.hanna)
    assert COOKIE not in host.get("/hub/").cookies

    cookie = host.post("/i18n/setlang/", {"language": "es"}).cookies[COOKIE]

    assert 0 < int(cookie.value) <= machinery.written()
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    host.get("/hub/")
    assert reads[-1] == "replica"


def test_strangers_are_not_and_the_primary_is_not_asked_for_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stage: Cast, reads: Reads
) -> None:
    asked: list[str] = []

    def written() -> int:
        asked.append("primary")
        return 1

    monkeypatch.setattr(replica_pages, "written", written)
    stranger, frequent = Client(), login(stage.hanna)
    assert COOKIE not in stranger.post("/i18n/setlang/", {"language": "es"}).cookies
    stranger.cookies[settings.SESSION_COOKIE_NAME] = "made-up"
    assert COOKIE not in stranger.post("/i18n/setlang/", {"language": "es"}).cookies

    assert asked == []

    settings.ADDRESS_RATE_LIMIT = parse("1/minute")
    answers = [frequent.post("/i18n/setlang/", {"language": "es"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 429]
    assert asked == ["primary"]


def test_a_page_shows_what_the_browser_has_changed(stage: Cast, reads: Reads, subtests: pytest.Subtests) -> None:
    host = login(stage.hanna)
    beyond = str(2**63 - 1)
    for position in ("0", beyond, "", "-1", "9" * 40):
        with subtests.test(position):
            reads.clear()
            host.cookies[COOKIE] = position
            assert host.get("/hub/").status_code == 200
            assert reads == ["behind" if position == beyond else "replica"]


def test_where_the_primary_cannot_tell_it_is_read_from(stage: Cast, reads: Reads, monkeypatch: Any) -> None:
    def away() -> int:
        raise OperationalError

    monkeypatch.setattr(replica_pages, "written", away)

    cookie = login(stage.hanna).post("/i18n/setlang/", {"language": "es"}).cookies[COOKIE]

    assert int(cookie.value) == 2**63 - 1


# --- What goes wrong there -------------------------------------------------------------------------------------------
def test_a_page_that_writes_is_made_by_the_primary(stage: Cast, reads: Reads) -> None:
    request = RequestFactory().get("/hub/")
    request.user = stage.hanna

    def view() -> HttpResponse:
        TenantFactory.create(name="New")
        return HttpResponse("made")

    answer = replica_pages.remember_writes(lambda request: page_of(view, request))(request)

    assert isinstance(answer, HttpResponse)
    assert answer.content == b"made"
    assert Tenant.objects.filter(name="New").count() == 1
    assert reads == ["write"]
    assert COOKIE in answer.cookies


def _conflict() -> None:
    ask("DO $$ BEGIN RAISE EXCEPTION 'conflict with recovery' USING ERRCODE = '40001'; END $$")


def _not_there() -> None:
    raise Http404


def _end() -> None:
    ask("SELECT pg_terminate_backend(pg_backend_pid())")


def _made_do_without() -> None:
    with suppress(Error):
        _conflict()


_FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a conflict": (_conflict, "conflict"),
    "nothing there": (_not_there, "not found"),
    "half of it there": (lambda: dict[str, str]()["missing"], "not found"),
    "the server gone": (_end, "away"),
    "another schema": (lambda: ask("SELECT no_such_column"), "failed"),
    "a swallowed error": (_made_do_without, "failed"),
}


def test_what_goes_wrong_is_asked_of_the_primary(reads: Reads, subtests: pytest.Subtests) -> None:
    for name, (fault, read) in _FAULTS.items():
        with subtests.test(name):
            forget_replica()  # and whether it is away
            reads.clear()
            seen: list[bool] = []

            def view(seen: list[bool] = seen, fault: Callable[[], object] = fault) -> HttpResponse:
                seen.append(is_replica())
                if is_replica():
                    fault()
                return HttpResponse("made")

            assert page_of(view).content == b"made"
            assert (seen, reads) == ([True, False], [read])
            assert not is_replica()


def test_what_goes_wrong_there_too_is_told(reads: Reads) -> None:
    def view() -> HttpResponse:
        raise NotAuthorized

    with pytest.raises(NotAuthorized):
        page_of(view)


def test_a_page_that_reads_for_too_long_is_not_begun_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reads: Reads
) -> None:
    settings.READ_TIMEOUT_SECONDS = 0.2
    monkeypatch.setattr(query_timeout, "LOOK_SECONDS", 0.05)
    seen: list[bool] = []

    def view() -> HttpResponse:
        seen.append(is_replica())
        ask("SELECT pg_sleep(60)")
        return HttpResponse()

    with pytest.raises(OperationalError) as raised, limited_reads():
        page_of(view)

    assert isinstance(unavailable(raised.value), TimedOut)
    assert seen == [True]
    assert ask("SELECT 1") == (1,)


# --- A replica that is away, or none ---------------------------------------------------------------------------------
def test_a_server_that_is_away_is_left_alone_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reads: Reads, caplog: pytest.LogCaptureFixture
) -> None:
    port = settings.DATABASE_REPLICA["PORT"]
    settings.DATABASE_REPLICA["PORT"] = free_port()
    seen: list[bool] = []
    with caplog.at_level(logging.INFO, machinery.__name__):
        page_of(where(seen))
        page_of(where(seen))
        assert (seen, reads) == ([False, False], ["away", "away"])
        assert len(own(caplog)) == 1

        # Somebody starts it, and the pause is over.
        known = replica()
        assert known
        DatabaseWrapper._connection_pools.pop("replica").close()  # type: ignore[attr-defined]
        known._config["PORT"] = port
        known._state._away_until = 0.0
        page_of(where(seen))

    assert (seen[-1], reads[-1]) == (True, "replica")
    assert own(caplog)[-1] == "The replica answers again: pages are read from it."


def own(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The pool says a word, too."""
    return [record.message for record in caplog.records if record.name == machinery.__name__]


def test_one_that_is_frozen_is_away(monkeypatch: pytest.MonkeyPatch, reads: Reads) -> None:
    monkeypatch.setattr(machinery, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(machinery, "_REPLAYED", b"SELECT pg_sleep(2)::text")
    seen: list[bool] = []

    page_of(where(seen))

    assert (seen, reads) == ([False], ["away"])


def test_a_server_that_is_no_standby_is_not_read_from(monkeypatch: pytest.MonkeyPatch, reads: Reads) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(replica_pages, "note_replica", reads.append)
    seen: list[bool] = []

    page_of(where(seen))

    assert (seen, reads) == ([False], ["no standby"])


def test_another_database_is_not_read_from(settings: Settings, reads: Reads, caplog: pytest.LogCaptureFixture) -> None:
    """A standby of another instance's server tells how far it has come as well, and may have come further."""
    settings.DATABASE_REPLICA["NAME"] = "postgres"
    seen: list[bool] = []
    page_of(where(seen))
    page_of(where(seen))

    assert (seen, reads) == ([False, False], ["no standby", "no standby"])
    assert [line.split(".")[0] for line in own(caplog)] == [
        "Pages are read from the primary, the replica is no standby"
    ]


def test_a_primary_that_was_replaced_is_noticed(reads: Reads) -> None:
    seen: list[bool] = []
    page_of(where(seen))
    known = replica()
    assert known
    known._primary._database = "the one before"
    page_of(where(seen))
    page_of(where(seen))

    assert (seen, reads) == ([True, False, True], ["replica", "no standby", "replica"])


def test_what_is_kept_for_others_is_read_from_the_primary(reads: Reads) -> None:
    pixel = PixelFactory.create()
    seen: list[bool] = []

    def view() -> HttpResponse:
        with at_primary():
            seen.append(is_replica())
        forget_pixel_settings()
        assert get_pixel_settings(pixel.pixel_id)
        return where(seen)()

    page_of(view)

    assert (seen, reads) == ([False, True], ["replica"])


# --- How far it may lag ----------------------------------------------------------------------------------------------
def test_the_bound_is_where_the_primary_was_within_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    now, position = [100.0], [1_000]
    monkeypatch.setattr("common.postgresql.replica.time.monotonic", lambda: now[0])
    monkeypatch.setattr(machinery, "written", lambda: position[0])
    primary = _Primary(max_lag=10)

    assert primary.position() == 1_000
    now[0], position[0] = 100.5, 1_100
    assert primary.position() == 1_000
    for second in range(1, 31):
        now[0], position[0] = 100.0 + second, 1_000 + 100 * second
        found = primary.position()
        assert found == max(1_000, position[0] - 10 * 100)

    # Nobody has read a page for a while: nothing is known but what is asked now.
    now[0], position[0] = 1_000.0, 90_000
    assert primary.position() == 90_000
