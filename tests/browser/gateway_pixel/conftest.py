"""The Signals Gateway's pixel on a shop's page, in Chromium: what ``cbq`` is told goes to the gateway, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request
from pytest_django import Settings

from pipelines.models import Source
from tests.base import Cast
from tests.browser.chromium import PATIENCE_MS
from tests.browser.gateway_pixel.stage import BEGIN, CALL_METHOD, PAGE_VIEW, Show
from tests.factories import SourceFactory

if TYPE_CHECKING:
    from tests.browser.two_origins import Gateway


@pytest.fixture
def source(cast: Cast) -> Source:
    return SourceFactory.create(tenant=cast.shoes, source_id="1234567890123456789")


@pytest.fixture
def gateway(source: Source, settings: Settings) -> Iterator[Gateway]:
    from tests.browser.two_origins import serve_gateway  # makes the application, for which it is early above

    with serve_gateway() as gateway:
        settings.BASE_URL = gateway.url
        yield gateway


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    """The bodies that went to the gateway."""
    return []


@pytest.fixture
def visitor(browser: Browser, gateway: Gateway, sent: list[dict[str, Any]]) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.post_data_json or {})

    context.on("request", note)
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def show(visitor: BrowserContext, tmp_path: Path, gateway: Gateway, source: Source) -> Iterator[Show]:
    from tests.browser.two_origins import serve_folder

    with serve_folder(tmp_path) as shop:
        yield partial(_show, visitor, tmp_path, shop, gateway, source)


def _show(
    visitor: BrowserContext,
    folder: Path,
    shop: str,
    gateway: Gateway,
    source: Source,
    script: str = CALL_METHOD + BEGIN + PAGE_VIEW,
    *,
    html: str = "",
    address: str = "",
    search: str = "",
) -> Page:
    address = address or f"sdk/{source.source_id}/events.js"
    text = script.replace("ADDRESS", address).replace("GATEWAY", gateway.url).replace("SOURCE", source.source_id)
    folder.joinpath("index.html").write_text(f"<!doctype html><title>Shoes</title><script>{text}</script>{html}")
    page = visitor.new_page()
    page.goto(f"{shop}/{search}")
    page.wait_for_function("window.cbq?.initialized")
    return page
