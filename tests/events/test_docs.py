"""docs/sending-events.md: what it tells senders to send is taken, and its tables are complete."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from events.models import OutboxRow
from events.parameters.table import ACTION_SOURCES
from tests.factories import PixelFactory

GUIDE: Path = settings.ROOT / "docs" / "sending-events.md"


def snippet(language: str, *, below: str = "") -> str:
    """The first one in the language below a text."""
    text = GUIDE.read_text("utf-8")
    found = re.search(rf"^```{language}\n(.*?)^```$", text[text.index(below) :], re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("language", "command"), [("bash", ["bash", "-s"]), ("python", [sys.executable, "-"])])
def test_a_snippet_works_as_it_stands(live_server: LiveServer, language: str, command: list[str]) -> None:
    [address] = set(re.findall(r"https://gateway[\w./]+", snippet(language)))
    PixelFactory.create(pixel_id=urlsplit(address).path.split("/")[2])

    code = snippet(language).replace("https://gateway.example.com", live_server.url)
    done = subprocess.run(command, input=code, capture_output=True, text=True, timeout=30, check=True)

    answer = json.loads(done.stdout)
    assert (answer if isinstance(answer, int) else answer["events_received"]) == 1
    assert OutboxRow.objects.get().event_count == 1


def test_the_guide_names_every_action_source() -> None:
    text = GUIDE.read_text("utf-8")
    assert [source for source in ACTION_SOURCES if f"`{source}`" not in text] == []
