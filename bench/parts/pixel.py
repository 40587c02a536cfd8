"""The script in visitors' browsers: what it weighs, and what it keeps the page's main thread from in Chromium.

A page with the script is loaded in turn with one that has an empty script in its place, both from the same server; the
time is that of the browser's main thread at work, in tasks and scripts, until the page has loaded and rested.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from bench.report import Result, Row
from bench.rounds import Effort, ratio
from bench.rounds import measure as measure_rounds
from events.script.files import plain_file
from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.two_origins import serve_folder

#: Compressed, in bytes.
MAX_BYTES = 10 * 1024
#: Of the main thread, in milliseconds, more than the page takes without it.
MAX_MILLISECONDS = 15.0
#: Pages loaded of each kind in a round.
LOADS = 7
PAGE = """<!doctype html><title>Shoes</title><script>
var cbq = function () { cbq.callMethod ? cbq.callMethod.apply(cbq, arguments) : cbq.queue.push(arguments) };
cbq.queue = []; cbq('init', '17'); cbq('track', 'PageView');</script><script async src="NAME.js"></script>"""
#: What the gateway would put behind the script.
SETTINGS = """{"configuration":{"id":"17","kind":"source","endpoint":"http://127.0.0.1:9","active":true,
"blockedEvents":[],"websites":{},"listed":[],"cookies":true,"formFields":["em"],"hashes":true,"forks":true,
"filter":"","registered":false}}"""
NOTE = f"Median of {LOADS} page loads a round, each in a browser's context of its own, so that nothing is cached."


def measure(effort: Effort) -> list[Result]:
    """Size, and both pages in each round."""
    path = find_chromium()
    if not path:
        raise RuntimeError(MISSING)
    file = plain_file()
    packed = len(file.packed["gzip"])
    script = file.body.decode().rstrip().removesuffix(";").removesuffix("({})") + f"({SETTINGS});"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for name, text in (("with", script), ("without", "")):
            Path(folder, f"{name}.js").write_text(text)
            Path(folder, f"{name}.html").write_text(PAGE.replace("NAME", name))
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        with serve_folder(Path(folder)) as url:
            things: dict[str, Callable[[], float]] = {
                name: partial(_time, browser, f"{url}/{name}.html") for name in ("with", "without")
            }
            for warm in things.values():
                warm()
            found = measure_rounds(things, effort.rounds)
        browser.close()
    more = [with_it - without for with_it, without in zip(found["with"], found["without"], strict=True)]
    rows = [
        Row("the script, compressed", "10 KiB", 1, ratio([packed], [MAX_BYTES]), at_most=True),
        Row("main thread for the script", "15 ms", 1, ratio(more, [MAX_MILLISECONDS] * len(more)), at_most=True),
    ]
    figures = {f"a page {name} it": median(of) for name, of in found.items()} | {"the script": median(more)}
    return [
        Result("The script: size", rows[:1], "bytes", {"compressed": packed, "plain": len(file.body)}),
        Result("The script: main thread", rows[1:], "ms", figures, NOTE),
    ]


def _time(browser: Browser, address: str) -> float:
    """The median of what the main thread was at work for a page, in milliseconds."""
    return median(_load(browser, address) for _ in range(LOADS))


def _load(browser: Browser, address: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(address)
    page.wait_for_timeout(200)
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return float(metrics["TaskDuration"]) * 1_000
