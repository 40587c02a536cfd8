"""The events of a request on their way from its body to the outbox."""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property

from events.intake.hashing.user_data import are_hashes
from events.intake.tables import Table


class EventList:
    """The events of a request: as objects, of whatever form, and as JSON.

    They are looked at before anything in them is changed. What several steps look at is found once.
    """

    def __init__(self, events: list[Any], written: bytes = b"") -> None:
        self.events = events
        #: All of them as JSON, where several came together; else empty.
        self.written = written

    def __len__(self) -> int:
        return len(self.events)

    @cached_property
    def people(self) -> Table:
        """The ``user_data`` of each. KeyError or TypeError where one has none that is an object."""
        people = [event["user_data"] for event in self.events]
        if set(map(type, people)) != {dict}:
            raise TypeError
        return Table(people)

    @cached_property
    def hold_hashes(self) -> bool:
        """Is surely all that is to be hashed a hash already?"""
        try:
            people = self.people
        except (KeyError, TypeError):
            return False
        return are_hashes(people)
