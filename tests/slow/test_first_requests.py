"""The first requests after a start, many at once: each is answered, and none of them loads code."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.urls import NoReverseMatch, reverse

from accounts.models import RoleLevel
from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.addresses import SERVED, address
from tests.base import bearer, login, person, tenant
from tests.events.outbox import purchase, put
from tests.factories import ApiAccountFactory, PixelFactory
from tests.instance import Instance, web_with
from tests.slow.load import Ask, events_for, send
from tests.slow.servers import PrivateRedis

THREADS = 8
#: Says on standard error what is imported in another than the main thread.
TELL_IMPORTS = """
import sys, threading
def tell_imports():
    main = threading.get_ident()
    def hook(event, arguments):
        if event == "import" and threading.get_ident() != main:
            sys.stderr.write(f"LATE {arguments[0]}\\n")
    sys.addaudithook(hook)
"""
WEB = f"""{TELL_IMPORTS}
load = web._load_application
def load_and_watch(*arguments, **options):
    application = load(*arguments, **options)
    tell_imports()
    return application
web._load_application = load_and_watch
"""


WORKER = f"""{TELL_IMPORTS}
import sys
from celery import signals
signals.worker_ready.connect(lambda **_: tell_imports(), weak=False)
from portal.celery import app
app.worker_main(["--quiet", "worker", "--beat"])
"""


@pytest.fixture
def redis() -> Iterator[PrivateRedis]:
    server = PrivateRedis()
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("storage", ["memory", "redis"])
def test_the_first_requests_are_answered_and_load_nothing(tmp_path: Path, redis: PrivateRedis, storage: str) -> None:
    asks = [*of_machines(), *forms(), *pages()]
    with Instance(
        tmp_path,
        "http://127.0.0.1:9",
        DJANGO_SETTINGS_MODULE="tests.served",
        WEB_THREADS=THREADS,
        RATE_LIMIT_STORAGE_URL=redis.url if storage == "redis" else "memory://",
    ) as instance:
        instance.start_web(web_with(WEB), asks=False)

        with ThreadPoolExecutor(2 * THREADS) as callers:
            statuses = list(callers.map(lambda ask: first(instance.url, ask), asks))

        assert max(statuses) < 500, [ask for ask, status in zip(asks, statuses, strict=True) if status >= 500]
        assert late_imports(tmp_path / "web.log") == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_first_tasks_load_nothing(tmp_path: Path) -> None:
    sandbox = Sandbox()
    pixels = PixelFactory.create_batch(2 * THREADS)
    for pixel in pixels:
        put(pixel, purchase())
    with serve(sandbox) as url, Instance(tmp_path, url) as instance:
        instance.start_worker(command=[sys.executable, "-c", WORKER])
        deadline = time.monotonic() + 60
        while sandbox.received_count < len(pixels):
            assert time.monotonic() < deadline, instance.log("worker")
            time.sleep(0.1)

        assert late_imports(tmp_path / "worker.log") == []


def late_imports(log: Path) -> list[str]:
    """What was imported in another than the main thread."""
    return [line for line in log.read_text().splitlines() if line.startswith("LATE ")]


def of_machines() -> list[Ask]:
    """One request of each kind that software sends, several times."""
    pixel = PixelFactory.create(tenant=tenant("Shoes"))
    token = {"Authorization": f"Bearer {bearer(ApiAccountFactory.create())}"}
    query = {"query": "{ tenants { edges { node { id } } } }"}
    return 4 * [
        events_for(pixel.pixel_id),
        Ask("POST", "/hub/graphql/", lambda: query, token),
        Ask("POST", "/hub/graphql/", lambda: query),
        Ask("POST", "/clients/token", dict),
        Ask("GET", "/api/usage", headers=token),
    ]


def forms() -> list[Ask]:
    """What somebody sends who has not signed in."""
    csrf = "a" * 32
    headers = {"Cookie": f"{settings.CSRF_COOKIE_NAME}={csrf}", "X-CSRFToken": csrf}
    person("milo", None, RoleLevel.VIEW)
    sent = {"login": "milo@example.com", "email": "milo@example.com", "password": "wrong"}
    return [
        Ask("POST", reverse(name), lambda: sent, headers, form=True)
        for name in ("account_login", "account_reset_password")
    ]


def pages() -> list[Ask]:
    """Every page, as the host's admin sees it."""
    admin = person("hanna", None, RoleLevel.ADMIN)
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={login(admin).cookies[settings.SESSION_COOKIE_NAME].value}"}
    pixel = PixelFactory.create(tenant=tenant("Books"))
    member = person("ada", pixel.tenant, RoleLevel.ADMIN)
    found = []
    for name in SERVED:
        with suppress(KeyError, NoReverseMatch):  # an address of something that is not here
            found.append(Ask("GET", address(name, pixel, member.pk, admin.pk), headers=cookie))
    return found


def first(url: str, ask: Ask) -> int:
    """The status of the answer."""
    with httpx.Client(base_url=url, timeout=60) as client:
        return send(client, "first", ask).status
