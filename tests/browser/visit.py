"""One person's browser, and what it notices by itself: errors, and requests that leave for another host."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

from accounts.models import Tenant

#: Elements beyond the window's edge, but for those in a part that scrolls by itself.
_STICKING_OUT = """() => {
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= edge) return [];
    const out = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > edge + 1);
    return ["scrolls to " + document.documentElement.scrollWidth, ...out.map((e) => e.outerHTML.slice(0, 200))];
}"""
AXE = Path(settings.ROOT) / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Visit:
    """A page in a browser; what went wrong there is in ``complaints``."""

    page: Page
    portal: str
    complaints: list[str] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)

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

    def wider_than(self, width: int) -> list[str]:
        """What makes the page scroll sideways in a window of the width, in pixels."""
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": width, "height": size["height"]})
        found: list[str] = self.page.evaluate(_STICKING_OUT)
        self.page.set_viewport_size(size)
        return found

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if any(f"the server responded with a status of {status}" in message.text for status in self._expected):
            return
        self.complaints.append(f"{self.page.url}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url}: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.portal}/", "data:", "blob:")):
            self.complaints.append(f"{self.page.url} asked {request.url}")


@cache
def _axe() -> str:
    """Its source: what Chromium evaluates for us is not held to the page's policy."""
    return AXE.read_text("utf-8")
