"""Logs: one JSON object a line, with structlog; never headers, bodies, tokens or addresses of people."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

#: Attributes of a log record that may be printed; others (Django passes the whole request) stay out.
EXTRAS = ("error_id", "status_code")

#: Exceptions whose message speaks of code or of the machine. Messages of others quote what they were given: an
#: address that a mail server refused, a value that a column could not hold.
TELLING = frozenset(
    {
        "AttributeError",
        "ConnectionRefusedError",
        "ImproperlyConfigured",
        "ImportError",
        "IntegrityError",
        "ModuleNotFoundError",
        "NameError",
        "OperationalError",
        "PermissionError",
        "PoolTimeout",
        "ProgrammingError",
        "RecursionError",
        "TemplateDoesNotExist",
        "TimeoutError",
        "TypeError",
    }
)

_TALKATIVE = (
    "celery.app.trace",
    "celery.beat",
    "celery.worker.request",
    "celery.worker.strategy",
    "httpcore",
    "httpx",
)

_stacks_of = ExceptionDictTransformer(show_locals=False)
_QUERY_STRING = re.compile(r"\?\S*")


def configuration(level: str) -> dict[str, Any]:
    """The LOGGING setting: everything goes to standard error as JSON, and nothing is mailed.

    Django's own report by mail (``mail_admins``) would hold the fields of the form that was posted.
    """
    through_root = {"handlers": [], "level": "NOTSET", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"not_our_fault": {"()": "portal.logs.NotOurFault"}, "no_advice": {"()": "portal.logs.NoAdvice"}},
        "formatters": {"json": {"()": "portal.logs.json_formatter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": through_root,
            "django.server": through_root,
            # The debug lines of these hold tokens, and the parameters of queries.
            "authlib": {"level": "INFO"},
            "django.db.backends": {"level": "INFO"},
            # A line for every request to the Graph API, or for every task; and that a folder has no host name.
            **{name: {"level": "WARNING"} for name in _TALKATIVE},
            "kombu.connection": {"level": "ERROR"},
            "_granian": {"filters": ["no_advice"]},
            "django.security.DisallowedHost": {"filters": ["not_our_fault"]},
        },
    }


class NoAdvice(logging.Filter):
    """Leaves out granian's advice against more threads than cores: WEB_THREADS are meant to wait for the database."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it anything else?"""
        return not record.getMessage().startswith("Configuration allows spawning up to ")


def json_formatter() -> logging.Formatter:
    """The formatter for our lines (structlog's or logging's) and for those of the libraries alike."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.ExtraAdder(allow=EXTRAS),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, without_query_string, without_quoted_exception],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(exception_report),
            structlog.processors.JSONRenderer(),
        ],
    )


class NotOurFault(logging.Filter):
    """What anybody can cause is a warning, without the places in the code."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, changed."""
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        return True


def without_query_string(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """The development server logs whole request lines; an invitation's token stands in the query string."""
    if event.get("logger") == "django.server":
        event["event"] = _QUERY_STRING.sub("", str(event["event"]))
    return event


def without_quoted_exception(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Celery's line about a task that failed quotes the exception; what may be told of it stands in its report."""
    if event.get("logger") == "celery.app.trace":
        event["event"] = str(event["event"]).partition(": ")[0]
    return event


def exception_report(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """An exception and its causes: type, places in the code, and the message's first line where it cannot tell secrets.

    The lines below the first are where PostgreSQL quotes the row.
    """
    return [
        {
            "type": stack["exc_type"],
            "message": stack["exc_value"].partition("\n")[0] if stack["exc_type"] in TELLING else "(left out)",
            "frames": [f"{frame['filename']}:{frame['lineno']} {frame['name']}" for frame in stack["frames"]],
        }
        for stack in _stacks_of(exc_info)
    ]
