"""A browser, the portal that it looks at, and what must hold on every page that a test opens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import Cast, login, make_cast
from tests.browser.chromium import ARGUMENTS, MISSING, PATIENCE_MS, REQUIRED, find_chromium
from tests.browser.visit import Visit

# Playwright's loop runs in this thread, and Django would not let the tests ask the database beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
expect.set_options(timeout=PATIENCE_MS)

HERE = Path(__file__).parent
SignIn = Callable[[User], Visit]
Open = Callable[..., Visit]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_chromium() or REQUIRED:
        return
    for item in items:
        if HERE in item.path.parents and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(MISSING))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    assert path, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def portal(transactional_db: None, live_server: LiveServer, settings: Settings) -> str:
    """The portal's address."""
    settings.BASE_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def cast(portal: str) -> Cast:
    return make_cast()


@pytest.fixture
def sandbox(portal: str, settings: Settings) -> Iterator[Sandbox]:
    """The stand-in for Meta."""
    sandbox = Sandbox()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        yield sandbox


@pytest.fixture
def visit(browser: Browser, portal: str) -> Iterator[Open]:
    """Opens browsers, as many as there are people in the story, and looks at the end whether anything went wrong."""
    visits: list[Visit] = []

    def open_browser(person: User | None = None, **options: Any) -> Visit:
        context = browser.new_context(base_url=portal, **{"locale": "en-GB", "reduced_motion": "reduce", **options})
        context.set_default_timeout(PATIENCE_MS)
        if person:
            _sign_in(context, portal, person)
        visits.append(Visit(context.new_page(), portal))
        return visits[-1]

    yield open_browser
    for each in visits:
        each.page.context.close()
    assert [each.complaints for each in visits if each.complaints] == []


def _sign_in(context: BrowserContext, portal: str, person: User) -> None:
    session = login(person).cookies[django_settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": session.key, "value": session.value, "url": portal}])


@pytest.fixture
def page(visit: Open) -> Page:
    """Somebody's browser who has not signed in."""
    return visit().page
