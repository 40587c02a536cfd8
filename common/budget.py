"""What one answer may cost (docs/decisions/0021-what-a-query-may-cost.md).

The limits on a document cannot know how much there is in the database: people of accounts of people multiply. So each
operation has a ``Budget``. Code that loads rows takes them from the budget: a list below a list is counted first, any
other list after it was loaded. Code that builds the answer takes the answer's objects from it. An operation that takes
more than GRAPHQL_MAX_OBJECTS is refused, and so is one that reads for too long (common.query_timeout).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import QuerySet

from common.errors import InvalidInput, TimedOut, unavailable
from common.query_timeout import limited_reads, refuse_if_over

#: So many scalars of a list count as one object: a text takes far less time and room.
SCALARS_PER_OBJECT = 10
#: So many values an object may have, on average.
VALUES_PER_OBJECT = 10
#: So many bytes of events, which may be of any size, count as one, too.
BYTES_PER_OBJECT = 1_024
#: And so many counters that the database adds up.
COUNTERS_PER_OBJECT = 100


class TooLarge(InvalidInput):
    """The answer would be larger than an answer may be."""

    def __init__(self, field: str, limit: int, *, has_written: bool) -> None:
        rule = "the answer would hold more than {limit} objects, or too many values; ask for less at a time."
        if has_written:
            rule = f"the change was made, but {rule}"
        super().__init__(field, rule, limit=limit)


class Budget:
    """What is left for one operation."""

    __slots__ = ("has_written", "limit", "objects", "rows", "seconds", "values")

    def __init__(self, *, has_written: bool = False) -> None:
        self.limit = self.rows = self.objects = settings.GRAPHQL_MAX_OBJECTS
        self.values = self.limit * VALUES_PER_OBJECT
        self.has_written = has_written
        #: Left for reading what mutations answer.
        self.seconds: float = settings.READ_TIMEOUT_SECONDS

    @property
    def is_spent(self) -> bool:
        """Was more asked for than there is? Then nothing further is read."""
        return self.rows < 0 or self.objects < 0 or self.values < 0

    @contextmanager
    def reading(self, field: str) -> Iterator[None]:
        """In the block, what a mutation has changed is read for its answer, within what is left of rows and time.

        A mutation may stand under many aliases: each happens, and all their answers together cost no more than one.
        """
        if self.is_spent:
            raise self._too_large(field)
        begun = time.monotonic()
        try:
            with limited_reads(self.seconds):
                refuse_if_over()
                yield
        except (TimedOut, DatabaseError) as error:
            if isinstance(unavailable(error), TimedOut):
                raise TimedOut(has_written=True) from error
            raise
        finally:
            self.seconds -= time.monotonic() - begun

    def load(self, rows: int, field: str) -> None:
        """So many rows are loaded for ``field``, or about to be."""
        refuse_if_over()
        self.rows -= rows
        if self.rows < 0:
            raise self._too_large(field)

    def answer(self, objects: int, field: str, values: int = 0) -> None:
        """The list ``field`` puts so many objects into the answer, with so many values in all."""
        refuse_if_over()
        self.objects -= objects
        self.values -= values
        if self.objects < 0 or self.values < 0:
            raise self._too_large(field)

    def _too_large(self, field: str) -> TooLarge:
        return TooLarge(field, self.limit, has_written=self.has_written)


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """What is loaded in the block is loaded from this budget."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)


def current_budget() -> Budget:
    """The budget of the operation that runs; LookupError where none does."""
    budget = _current.get()
    if budget is None:
        raise LookupError("no operation runs")
    return budget


def has_room(rows: int) -> bool:
    """Could so many rows be loaded? Then they need not be counted before."""
    budget = _current.get()
    return budget is None or rows <= budget.rows


def most_rows() -> int:
    """A list need not be read any further than this: it is refused."""
    limit: int = settings.GRAPHQL_MAX_OBJECTS
    return limit + 1


def load(amount: int | Callable[[], int], field: str, *, per_object: int = 1) -> None:
    """So much is loaded for ``field``, of which ``per_object`` count as one; InvalidInput where the budget has less.

    Without a budget nothing is taken, and what is only found out by asking is not asked for.
    """
    budget = _current.get()
    if budget is not None:
        budget.load((amount() if callable(amount) else amount) // per_object, field)


def load_estimated(most: Callable[[], int], field: str) -> None:
    """Counters are added up for ``field``, of which there are ``most``.

    There may be far fewer, so that this takes no more than half of a budget: what is asked for alone is answered.
    """
    budget = _current.get()
    if budget is not None:
        budget.load(min(most() // COUNTERS_PER_OBJECT, budget.limit // 2), field)


def load_counted(rows: QuerySet[Any, Any], field: str, *, per_object: int = 1) -> None:
    """Count rows that are about to be loaded, no further than needed: a list below a list can be of any size."""
    budget = _current.get()
    if budget is None:
        return
    count = rows.order_by()[: (max(budget.rows, 0) + 1) * per_object].count()
    budget.load(count // per_object, field)
