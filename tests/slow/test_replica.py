"""Pages on a real standby: it lags behind, conflicts, dies and comes back, and no page shows it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dj_database_url
import httpx
import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from accounts.models import RoleLevel, Tenant
from common import replica_pages
from common.postgresql import replica as machinery
from tests.base import login, person, tenant
from tests.instance import Instance
from tests.replica import forget_replica
from tests.slow.load import Ask, Load
from tests.slow.servers import PrivatePostgres, private_postgres
from tests.slow.test_faults_postgres import faults

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TOKEN = "a-token-of-twenty-signs-and-more"
DEADLINE_SECONDS = 30


@contextmanager
def a_pair() -> Iterator[tuple[PrivatePostgres, PrivatePostgres]]:
    """A primary and a standby that may lag behind."""
    if connection.vendor != "postgresql":
        pytest.skip("shown where the tests run on PostgreSQL")
    with private_postgres() as primary:
        standby = primary.with_standby(synchronous=False)
        try:
            yield primary, standby
        finally:
            if standby.is_running:
                standby.stop("immediate")


class Browser(httpx.Client):
    """Somebody who has signed in."""

    def __init__(self, instance: Instance, name: str) -> None:
        session = login(person(name, None, RoleLevel.ADMIN)).cookies[django_settings.SESSION_COOKIE_NAME].value
        self.session = f"{django_settings.SESSION_COOKIE_NAME}={session}"
        super().__init__(base_url=instance.url, timeout=20, follow_redirects=True)
        self.cookies.set(django_settings.SESSION_COOKIE_NAME, session)

    def sees(self, name: str) -> bool:
        """Is it in the list of accounts?"""
        page = self.get("/hub/")
        assert page.status_code == 200, page.text[:500]
        return f">{name}<" in page.text

    def rename(self, account: Tenant, name: str) -> None:
        """Change it there, as the page's form does."""
        page = self.get("/hub/capig/settings/", params={"tenant": account.pk})
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        form = {"name": name, "csrfmiddlewaretoken": token[1]}
        answer = self.post("/hub/capig/settings/name/", params={"tenant": account.pk}, data=form)
        assert answer.status_code == 200, answer.text[:500]


def reads(instance: Instance) -> dict[str, float]:
    """How many pages were read where, as the metrics tell."""
    text = httpx.get(f"{instance.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    return {
        read: float(count) for read, count in re.findall(r'portal_replica_pages_total\{read="([a-z ]+)"\} (\S+)', text)
    }


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def tell(server: PrivatePostgres, sql: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as database:
        database.execute(sql.encode())


def ask(server: PrivatePostgres, sql: str) -> object:
    with psycopg.connect(server.url) as database:
        [value] = database.execute(sql.encode()).fetchone() or [None]
    return value


def test_pages_on_a_standby(tmp_path: Path) -> None:
    shoes = tenant("Shoes")
    with a_pair_for(tmp_path) as (primary, standby, instance, (hanna, hugo)):
        wait_until(lambda: hanna.sees("Shoes") and reads(instance).get("replica", 0) > 0, "never read from it")

        # It stops at a moment: who changes something sees it at once, the others a little later.
        tell(standby, "SELECT pg_wal_replay_pause()")
        hanna.rename(shoes, "Boots")
        assert hanna.sees("Boots")
        assert hugo.sees("Shoes")
        shows_nothing_to_who_has_lost_a_role(primary, hugo, shoes)
        tell(standby, "SELECT pg_wal_replay_resume()")
        wait_until(lambda: hugo.sees("Boots"), "the standby goes on")

        dies_and_comes_back(instance, standby, hanna)

        # Where it lags behind for longer than it may, it is not read from.
        instance.stop("web")
        instance.environment["REPLICA_MAX_LAG_SECONDS"] = "1"
        instance.start_web()
        wait_until(lambda: hugo.sees("Boots") and reads(instance).get("replica", 0) > 0, "read from it again")
        tell(standby, "SELECT pg_wal_replay_pause()")
        tell(primary, "UPDATE accounts_tenant SET name = 'Sandals' WHERE name = 'Boots'")
        wait_until(lambda: hugo.sees("Sandals"), "the primary is read from")
        assert reads(instance)["behind"] > 0


def shows_nothing_to_who_has_lost_a_role(primary: PrivatePostgres, browser: Browser, account: Tenant) -> None:
    """The standby, which stands still, knows nothing of it."""
    pages = ("/hub/settings/users/", "/admin/accounts/tenant/", f"/hub/capig/settings/?tenant={account.pk}")
    his_user = "(SELECT id FROM accounts_user WHERE email LIKE 'hugo@%')"
    role = "UPDATE accounts_membership SET accepted_at = {} WHERE user_id = {}"
    assert {browser.get(page, follow_redirects=False).status_code for page in pages} == {200}
    tell(primary, role.format("NULL", his_user))
    assert not browser.sees("Shoes")
    assert [browser.get(page, follow_redirects=False).status_code for page in pages] == [404, 302, 404]
    tell(primary, role.format("now()", his_user))


@contextmanager
def a_pair_for(
    folder: Path,
) -> Iterator[tuple[PrivatePostgres, PrivatePostgres, Instance, tuple[Browser, Browser]]]:
    """An instance on such a pair, whose standby may lag behind for minutes; and two people."""
    instance = Instance(
        folder,
        "http://127.0.0.1:9",
        DJANGO_SETTINGS_MODULE="tests.served",
        REPLICA_MAX_LAG_SECONDS=300,
        METRICS_TOKEN=TOKEN,
        ADDRESS_RATE_LIMIT=0,
        API_RATE_LIMIT=0,
    )
    hanna, hugo = Browser(instance, "hanna"), Browser(instance, "hugo")
    with hanna, hugo, a_pair() as (primary, standby), instance:
        instance.environment |= {"DATABASE_URL": primary.url, "DATABASE_REPLICA_URL": standby.url}
        instance.start_web()
        yield primary, standby, instance, (hanna, hugo)


def dies_and_comes_back(instance: Instance, standby: PrivatePostgres, browser: Browser) -> None:
    page = Ask("GET", "/hub/", headers={"Cookie": browser.session})
    load = Load(instance.url, {"one": page, "two": page, "three": page})
    with load.running():
        for mode in ("immediate", "fast"):
            standby.stop(mode)
            wait_for_more(instance, "away")
            standby.start()
            wait_for_more(instance, "replica")
    assert load.answers
    assert {each.status for each in load.answers} == {200}, faults(load.answers)


def wait_for_more(instance: Instance, read: str) -> None:
    before = reads(instance).get(read, 0)
    wait_until(lambda: reads(instance).get(read, 0) > before, f"no further page was: {read}")


def test_replaying_goes_before_reading(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own conflict: what a page reads on the standby, the primary has vacuumed away."""
    tenant("Shoes")
    found: list[str] = []
    monkeypatch.setattr(replica_pages, "note_replica", found.append)
    with a_pair() as (primary, standby):
        monkeypatch.setattr(machinery, "_ask", lambda sql: ask(primary, sql))
        tell(standby, "ALTER SYSTEM SET max_standby_streaming_delay = 0")
        tell(standby, "SELECT pg_reload_conf()")
        settings.DATABASE_REPLICA = {**dj_database_url.parse(standby.url), "OPTIONS": {"pool": {"min_size": 1}}}
        forget_replica()

        def view() -> HttpResponse:
            with connection.cursor() as cursor:
                if connection.alias == "replica":
                    threading.Timer(0.5, vacuum).start()
                    cursor.execute("SELECT count(*), pg_sleep(20) FROM accounts_tenant")
                return HttpResponse("made")

        def vacuum() -> None:
            tell(primary, "DELETE FROM accounts_usagesnapshot")
            tell(primary, "UPDATE accounts_tenant SET name = 'Boots'")
            tell(primary, "VACUUM FULL accounts_tenant")

        answer = replica_pages.read_page(RequestFactory().get("/hub/"), view)

        assert isinstance(answer, HttpResponse)
        assert (answer.content, found) == (b"made", ["conflict"])
        forget_replica()
