"""What a process wrote to its log."""

from __future__ import annotations

import json
from typing import Any


def parse(text: str) -> list[dict[str, Any]]:
    """The lines; each must be a JSON object that says when, how grave, by whom and what."""
    lines: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            raise AssertionError(f"No line of the log: {line!r}") from None
    lacking = [line for line in lines if not {"timestamp", "level", "logger", "event"} <= line.keys()]
    assert not lacking
    return lines


def events(text: str) -> list[str]:
    """What the lines say."""
    return [line["event"] for line in parse(text)]
