"""The one family of errors that a service may raise.

A door translates them once: ``common.graphql.errors`` for GraphQL, ``portal.api`` for REST, ``portal.middleware``
for HTML. The codes are those of the reference ("Error Codes" of every operation).
"""

from __future__ import annotations

import sqlite3
from typing import ClassVar

import psycopg
from django.db import InterfaceError, OperationalError


class PortalError(Exception):
    """A refusal that the caller may read: ``message`` names the rule, ``field`` the input it is about."""

    code: ClassVar[int] = 500

    def __init__(self, text: str, *, field: str | None = None, **values: object) -> None:
        """``values`` fill the text's ``{name}``: pages look the text itself up in their translations."""
        self.message = text.format(**values) if values else text
        super().__init__(self.message)
        self.text, self.values = text, values
        self.field = field


class InvalidInput(PortalError):
    """The input breaks a rule. Nothing was changed."""

    code = 400

    def __init__(self, field: str, rule: str, **limits: object) -> None:
        """``limits`` fill the rule's ``{name}``."""
        super().__init__(f"{field}: {rule.format(**limits) if limits else rule}", field=field)
        self.rule, self.limits = rule, limits


class NotAuthorized(PortalError):
    """The caller is not signed in, or may not do this.

    Hidden and missing accounts share one message, so that nobody can find out which accounts exist.
    """

    code = 401

    def __init__(self, message: str = "You may not do this in this account, or the account does not exist.") -> None:
        super().__init__(message)


class NotFound(PortalError):
    """The thing that the input names is not there, or not visible to the caller."""

    code = 404


class Conflict(PortalError):
    """The input is well-formed, but what it asks for stands already."""

    code = 409


class TooLarge(InvalidInput):
    """The body is longer than it may be."""

    code = 413


class UnsupportedEncoding(PortalError):
    """The body is packed in a way that is not read here; the message names it."""

    code = 415


class Unavailable(PortalError):
    """The database is away, or has no room: come again after ``retry_after`` seconds."""

    code = 503
    retry_after = 5

    def __init__(self, message: str = "The database does not answer. Please try again in a moment.") -> None:
        super().__init__(message)


class TimedOut(Unavailable):
    """Reading took longer than READ_TIMEOUT_SECONDS."""

    def __init__(self, *, has_written: bool = False) -> None:
        text = "Reading this took too long, and was ended. Ask for less at a time, or try again later."
        super().__init__(f"The change was made. {text}" if has_written else text)


_OF_DRIVERS = (psycopg.InterfaceError, psycopg.OperationalError, sqlite3.InterfaceError, sqlite3.OperationalError)
#: PostgreSQL's code for a statement that somebody has cancelled.
_QUERY_CANCELED = "57014"


def unavailable(error: BaseException | None) -> Unavailable | None:
    """The refusal for an error of the database's operation, which passes; None for every other error.

    SQLite tells of mistakes in a statement by the same class, under its code 1. Where Django closes a cursor, the
    driver's own error comes through, without Django's around it.
    """
    if isinstance(error, Unavailable):
        return error
    if not isinstance(error, (InterfaceError, OperationalError, *_OF_DRIVERS)):
        return None
    cause = error if isinstance(error, _OF_DRIVERS) else error.__cause__
    code = getattr(cause, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT or getattr(cause, "sqlstate", None) == _QUERY_CANCELED:
        return TimedOut()
    return None if code == sqlite3.SQLITE_ERROR else Unavailable()


class TooManyRequests(PortalError):
    """A limit on requests is reached; ``retry_after`` is when to come again, in whole seconds."""

    code = 429

    def __init__(
        self, retry_after: int, text: str = "Too many requests: wait as long as Retry-After says.", **values: object
    ) -> None:
        super().__init__(text, field=None, **values)
        self.retry_after = retry_after
