"""What a new user does: start the portal, paste what it prints, take the README's tour."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from portal.run import STOP_SECONDS
from tests.instance import free_port

pytestmark = pytest.mark.slow

ROOT: Path = settings.ROOT


@dataclass
class Portal:
    """A portal that serves in a process of its own, and what its first start printed."""

    url: str
    sandbox_url: str
    environment: dict[str, str]
    printed: str
    process: subprocess.Popen[bytes]
    said: Path
    log: Path

    def paste(self, lines: str) -> str:
        """Paste lines into a shell; return what it shows."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail"],
            input=lines,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def wait_until_healthy(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/healthz") as response:
                assert json.load(response) == {"status": "ok"}
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("The portal does not serve.")


def wait_until_said(file: Path, words: str) -> None:
    for _ in range(600):
        if words in file.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"Nobody says {words!r}: {file.read_text()}")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal started as `make run` starts it, on an empty data folder."""
    folder, port, sandbox_port = tmp_path_factory.mktemp("data"), free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "ENV_FILE": os.devnull,
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
    }

    def start(*words: str) -> str:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    start("-m", "portal.keys")
    start("manage.py", "migrate", "--no-input")
    start("manage.py", "collectstatic", "--no-input")
    printed = start("manage.py", "first_start")
    said, log = folder / "said", folder / "log"
    with said.open("wb") as out, log.open("wb") as err:
        # A group of its own, so that a test can press ctrl-C as a terminal does: for all of the group.
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.run"],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            stdout=out,
            stderr=err,
        )
    url, sandbox_url = f"http://localhost:{port}", f"http://127.0.0.1:{sandbox_port}"
    try:
        wait_until_healthy(url)
        wait_until_said(log, "ready.")  # by the worker
        yield Portal(url, sandbox_url, environment, printed, process, said, log)
    finally:
        process.terminate()
        process.wait(60)


def test_the_first_call_works_as_printed(portal: Portal) -> None:
    lines = portal.printed[portal.printed.index("TOKEN=") :]

    assert json.loads(portal.paste(lines)) == {
        "data": {"viewer": {"kind": "AGENCY", "apiAccount": "FirstSteps"}, "tenants": {"totalCount": 0}}
    }


def test_it_says_that_nothing_goes_to_meta(portal: Portal) -> None:
    wait_until_said(
        portal.log,
        f"Publishing to the built-in sandbox at {portal.sandbox_url}, not to Meta;"
        " set GRAPH_API_URL=https://graph.facebook.com to go live.",
    )


def test_it_says_where_to_open_it_once_it_serves(portal: Portal) -> None:
    wait_until_said(portal.log, f"Ready: open {portal.url}/ in a browser.")


def test_all_that_it_says_is_in_the_log(portal: Portal) -> None:
    wait_until_said(portal.log, "Ready: ")

    assert portal.said.read_text() == ""


def test_the_printed_link_opens(portal: Portal) -> None:
    [link] = re.findall(rf"^{portal.url}/auth/verify/\S+$", portal.printed, re.MULTILINE)

    with urllib.request.urlopen(link) as response:
        assert response.status == 200


def test_the_api_page_has_its_scripts(portal: Portal) -> None:
    with urllib.request.urlopen(f"{portal.url}/api/docs") as response:
        page = response.read().decode()
    for script in re.findall(r'<script src="([^"]+)"', page):
        with urllib.request.urlopen(f"{portal.url}{script}") as response:
            assert response.status == 200
    assert "swagger-ui-bundle" in page


def test_the_tour_of_the_readme(portal: Portal) -> None:
    """Every line of the tour is pasted in order; the answers are those that the README prints."""
    readme = (ROOT / "README.md").read_text("utf-8")
    tour = readme[readme.index("## A five-minute tour") : readme.index("## People")]
    blocks: dict[str, str] = {"bash": "", "json": ""}
    for language, block in re.findall(r"^```(bash|json)\n(.*?)^```$", tour, re.MULTILINE | re.DOTALL):
        blocks[language] += block
    first, _, rest = blocks["bash"].partition("\n")
    assert first == "GATEWAY=http://localhost:8000 SANDBOX=http://127.0.0.1:8010"
    assert "://localhost" not in rest
    assert "://127.0.0.1" not in rest
    lines = f"GATEWAY={portal.url} SANDBOX={portal.sandbox_url}\n{rest}".replace(".venv/bin/python", sys.executable)

    shown = portal.paste(lines).replace(portal.url, "http://localhost:8000")

    shown = re.sub(r"token=[\w-]{22}", "token=…", shown)
    shown = re.sub(r'"fbtrace_id":"[^"]+"', '"fbtrace_id":"…"', shown)
    assert shown.splitlines() == blocks["json"].splitlines()


def test_ctrl_c_stops_the_portal_at_once(portal: Portal) -> None:
    os.killpg(portal.process.pid, signal.SIGINT)

    assert portal.process.wait(STOP_SECONDS) == 0, "nobody had to be killed"
    # Between the lines of the log stand the mails, which are printed where no mail server is named.
    events = [json.loads(line)["event"] for line in portal.log.read_text().splitlines() if line.startswith("{")]
    assert "Stopped worker-1" in events
    assert not [event for event in events if "Killing" in event]
