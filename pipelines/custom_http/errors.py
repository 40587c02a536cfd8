"""What goes wrong with a template, as its author is told."""

from __future__ import annotations

REASON_MAX_LENGTH = 200


class TemplateError(Exception):
    """The template, or what it makes of events, cannot be used: ``reason`` says why, ``line`` where if that is known.

    Neither holds anything of an event.
    """

    def __init__(self, reason: str, line: int | None = None, *, is_too_large: bool = False) -> None:
        self.reason = "".join(char if char.isprintable() else " " for char in reason)[:REASON_MAX_LENGTH]
        self.line = line
        self.is_too_large = is_too_large
        super().__init__(f"line {line}: {self.reason}" if line else self.reason)
