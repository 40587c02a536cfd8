"""One person's browser, and what it notices by itself: errors, and requests that leave for another host."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.messages.constants import ERROR, INFO, SUCCESS, WARNING
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

from accounts.models import Tenant

#: Elements beyond the window's edge, but for those in a part that scrolls by itself.
_STICKING_OUT = """() => {
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= edge) return [];
    const out = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > edge + 1);
    return ["scrolls to " + document.documentElement.scrollWidth, ...out.map((e) => e.outerHTML.slice(0, 200))];
}"""
#: Menus and questions that open beyond the window's edges, or at one of them.
_OPENS_OUTSIDE = """() => {
    const {clientWidth: width, clientHeight: height} = document.documentElement;
    const at = (e) => e.getBoundingClientRect();
    const found = [];
    for (const details of document.querySelectorAll("details.dropdown")) {
        if (!details.getClientRects().length) continue;
        details.open = true;
        const {left, right} = at(details.querySelector(".dropdown-menu"));
        if (left < 0 || right > width) found.push(`menu from ${left} to ${right}: ` + details.outerHTML.slice(0, 200));
        details.open = false;
    }
    for (const question of document.querySelectorAll("[popover]")) {
        const menu = question.closest("details.dropdown");
        if (menu) menu.open = true;
        question.showPopover();
        const {top, bottom, left, right} = at(question);
        const isCentred = Math.abs(top - (height - bottom)) < 3 && Math.abs(left - (width - right)) < 3;
        if (!isCentred || top < 0) found.push(`question from ${top} to ${bottom}: ` + question.id);
        question.hidePopover();
        if (menu) menu.open = false;
    }
    return found;
}"""
#: Icons that tell something by their colour and cannot be told from the ground: less than 3 to 1 (WCAG 1.4.11).
_FAINT_ICONS = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const paint = (...colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    for (const icon of document.querySelectorAll("main .icon")) {
        if (!icon.getClientRects().length || icon.closest(":disabled")) continue;
        const grounds = ["#fff"];
        const parents = [];
        for (let e = icon; e; e = e.parentElement) parents.unshift(getComputedStyle(e).backgroundColor);
        const ground = luminance(paint(...grounds, ...parents));
        const ink = luminance(paint(...grounds, ...parents, getComputedStyle(icon).color));
        const contrast = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
        if (contrast < 3) faint.push(`${contrast.toFixed(2)}: ` + icon.parentElement.outerHTML.slice(0, 200));
    }
    return faint;
}"""
#: A message of each kind, as every page may show it.
_MESSAGES = [Message(level, "Something was done.") for level in (INFO, SUCCESS, WARNING, ERROR)]
AXE = Path(settings.ROOT) / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Visit:
    """A page in a browser; what went wrong there is in ``complaints``."""

    page: Page
    portal: str
    complaints: list[str] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)
    #: Another host that the page may ask; what the console says of it is no complaint.
    _asks: str | None = None

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.on("request", self._on_request)

    def open(self, path: str, tenant: Tenant | None = None, *, status: int = 200) -> Response:
        """Go there; the answer must have the status."""
        address = f"{path}?tenant={tenant.pk}" if tenant else path
        if status >= 400:
            self._expected.add(status)
        response = self.page.goto(address)
        assert response is not None
        assert response.status == status, f"{address}: {response.status}"
        return response

    def expect_status(self, status: int) -> None:
        """The browser's console may tell of an answer with the status."""
        self._expected.add(status)

    def expect_host(self, url: str) -> None:
        """The page asks this origin as well, and may get no answer."""
        self._asks = url

    def violations(self, *, but: tuple[str, ...] = ()) -> list[str]:
        """What axe finds on the page as it is, by all its rules but these."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_axe())
        options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in but}}
        found: dict[str, Any] = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def show_messages(self) -> None:
        """Put a message of each kind where the page shows them."""
        html = render_to_string("partials/messages.html", {"messages": _MESSAGES})
        self.page.evaluate("html => { document.getElementById('messages').outerHTML = html }", html)

    def faint_icons(self) -> list[str]:
        """Icons that cannot be told from their ground."""
        found: list[str] = self.page.evaluate(_FAINT_ICONS)
        return found

    def opens_outside(self, width: int) -> list[str]:
        """Menus and questions that are not wholly in a window of the width, in pixels."""
        return self._in_window(width, _OPENS_OUTSIDE)

    def wider_than(self, width: int) -> list[str]:
        """What makes the page scroll sideways in a window of the width, in pixels."""
        return self._in_window(width, _STICKING_OUT)

    def _in_window(self, width: int, script: str) -> list[str]:
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": width, "height": size["height"]})
        found: list[str] = self.page.evaluate(script)
        self.page.set_viewport_size(size)
        return found

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if any(f"the server responded with a status of {status}" in message.text for status in self._expected):
            return
        if self._asks and self._asks in (message.text + str(message.location)):
            return
        self.complaints.append(f"{self.page.url}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url}: {error}")

    def _on_request(self, request: Request) -> None:
        known = (f"{self.portal}/", "data:", "blob:", *([f"{self._asks}/"] if self._asks else []))
        if not request.url.startswith(known):
            self.complaints.append(f"{self.page.url} asked {request.url}")


@cache
def _axe() -> str:
    """Its source: what Chromium evaluates for us is not held to the page's policy."""
    return AXE.read_text("utf-8")
