"""Firefox, without a driver: it opens one page; each leads it on by itself, and the last to one that waits for more.

One process serves all tests; a website has a name below localhost of its own, and so cookies of its own.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REQUIRED = os.environ.get("TEST_REQUIRE_FIREFOX", "") not in ("", "0")
MISSING = "no Firefox: name one with FIREFOX, or put one on the PATH (on Debian: apt install firefox-esr)"

#: It asks nobody by itself, and shows no page but ours.
_SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
    "toolkit.telemetry.unified": False,
}
_WAITING_ROOM = """<!doctype html><title>Waiting</title><script>(async () => {
for (;;) {
  const answer = await fetch("/next").catch(() => undefined);
  if (answer?.status === 200) { location.replace(await answer.text()); return; }
}
})()</script>"""
#: Each page tells of its errors, and leads on, whatever else happens in it.
_AROUND = """<script nonce="own">
addEventListener("error", (event) => navigator.sendBeacon("/error", event.message));
addEventListener("unhandledrejection", (event) => navigator.sendBeacon("/error", String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => navigator.sendBeacon("/error", event.blockedURI));
const leave = () => { location.href = NEXT };
addEventListener("load", () => setTimeout(leave, STAYS));
setTimeout(leave, 20_000);
</script>"""


def find_firefox() -> str | None:
    """The one that FIREFOX names, else one on the PATH."""
    named = os.environ.get("FIREFOX")
    names = [named] if named else ["firefox-esr", "firefox"]
    return next((path for name in names if (path := shutil.which(name))), None)


@dataclass
class SitePage:
    """A page of a website: its text and policy; its visitor goes on so many milliseconds after it is loaded."""

    html: str
    policy: str = ""
    address: str = "/"
    stays: int = 300


@dataclass
class Firefox:
    """The browser; ``errors`` are those that its pages told of."""

    port: int = 0
    errors: list[str] = field(default_factory=list)
    _pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    _next: queue.Queue[str] = field(default_factory=queue.Queue)
    _back: threading.Event = field(default_factory=threading.Event)
    _websites: int = 0

    def visit(self, *pages: SitePage) -> list[str]:
        """Lead a visitor through the pages of a new website, in their order; answers the addresses of these."""
        self._websites += 1
        website = f"http://website-{self._websites}.localhost:{self.port}"
        addresses = [f"{website}/{number}{page.address}" for number, page in enumerate(pages)]
        for page, address, following in zip(pages, addresses, [*addresses[1:], self.waiting_room], strict=True):
            around = _AROUND.replace("NEXT", json.dumps(following)).replace("STAYS", str(page.stays))
            html = f"<!doctype html><title>Shoes</title><link rel=icon href=data:,>{around}{page.html}"
            self._pages[address.partition("?")[0]] = (html, page.policy)
        self._go(addresses[0])
        assert self.errors == []
        return addresses

    @property
    def waiting_room(self) -> str:
        return f"http://localhost:{self.port}/"

    def wait(self) -> None:
        """Until it is in the waiting room."""
        assert self._back.wait(60), "Firefox did not come back"

    def _go(self, address: str) -> None:
        self.errors.clear()
        self._back.clear()
        self._next.put(address)
        self.wait()

    # What its pages are answered:

    def page(self, address: str) -> tuple[str, str] | None:
        """The text and the policy of a page."""
        if address == self.waiting_room:
            return _WAITING_ROOM, ""
        return self._pages.get(address)

    def next(self) -> str | None:
        """Where to go from the waiting room, if anywhere by now."""
        self._back.set()
        try:
            return self._next.get(timeout=1)
        except queue.Empty:
            return None


class _Websites(BaseHTTPRequestHandler):
    """All websites, by the name that they are asked under."""

    def __init__(self, firefox: Firefox, *args: object) -> None:
        self.firefox = firefox
        super().__init__(*args)  # type: ignore[arg-type]  # what the server gives

    def do_GET(self) -> None:
        if self.path == "/next":
            address = self.firefox.next()
            self._answer(200 if address else 204, (address or "").encode(), "text/plain")
            return
        found = self.firefox.page(f"http://{self.headers['Host']}{self.path.partition('?')[0]}")
        html, policy = found or ("", "")
        self._answer(200 if found else 404, html.encode(), "text/html; charset=utf-8", policy)

    def do_POST(self) -> None:
        self.firefox.errors.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(204, b"", "text/plain")

    def _answer(self, status: int, body: bytes, content_type: str, policy: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """A browser that ends lets go of what it asked."""


@contextmanager
def running_firefox(folder: Path) -> Iterator[Firefox]:
    """A Firefox with a new profile in the folder, in its waiting room."""
    path = find_firefox()
    assert path, MISSING
    firefox = Firefox()
    server = _Server(("127.0.0.1", 0), partial(_Websites, firefox))
    firefox.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    settings = "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _SETTINGS.items())
    (folder / "user.js").write_text(settings)
    command = [path, "--headless", "--no-remote", "--profile", str(folder), firefox.waiting_room]
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, "HOME": str(folder)}, stdout=log, stderr=log)
    try:
        firefox.wait()
        yield firefox
    finally:
        process.terminate()
        process.wait(30)
        server.shutdown()
        server.server_close()
