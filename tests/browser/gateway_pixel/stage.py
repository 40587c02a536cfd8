"""A shop's page with the pixel in it, and what went from there to the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser.chromium import PATIENCE_MS

LOADER = """!function(f,b,e,v,n,t,s){if(f.cbq)return;n=f.cbq=function(){FORM};
if(!f._cbq)f._cbq=n;n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,document,'script','GATEWAY/ADDRESS');"""
BEGIN = "cbq('setHost', 'GATEWAY/'); cbq('init', 'SOURCE');"
#: Both forms of the loader that pages have.
CALL_METHOD = LOADER.replace("FORM", "n.callMethod?n.callMethod.apply(n,arguments):n.queue.push(arguments)")
INITIALIZED = LOADER.replace("FORM", "n.initialized?n.apply(f.cbq,arguments):n.queue.push(arguments)")
PAGE_VIEW = "cbq('track', 'PageView');"
#: A stand-in of the Meta Pixel, which notes what it is told, once the page is loaded.
FBQ = """!function(f,n){n=f.fbq=function(){n.callMethod?n.callMethod.apply(n,arguments):n.queue.push(arguments)};
n.queue=[]}(window); window.told = []; addEventListener('load', () => {
fbq.callMethod = function () { told.push([].slice.call(arguments)) };
fbq.queue.forEach((each) => fbq.callMethod(...each)) });"""
#: Opens a page of the shop with the script in it.
Show = Callable[..., Page]


def names(sent: list[dict[str, Any]]) -> list[str]:
    return [str(body["event_name"]) for body in sent]


def wait_until(page: Page, condition: Callable[[], object]) -> None:
    """Wait for what the page does by itself; what it sends is noted meanwhile."""
    for _attempt in range(PATIENCE_MS // 25):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not come to pass")


def settled(page: Page) -> None:
    """What is on its way has gone."""
    page.wait_for_timeout(300)
