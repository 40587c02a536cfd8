"""Logs: one JSON object a line, with structlog; never headers, bodies, tokens or addresses of people."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from traceback import FrameSummary, StackSummary, walk_tb
from types import TracebackType
from typing import Any, NamedTuple

import structlog
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

logger = logging.getLogger(__name__)

#: Of an exception so many causes are told, and of each the frames of the beginning and of the end.
MOST_CAUSES, MOST_FRAMES = 10, 50
_QUERY_STRING = re.compile(r"\?\S*")


def begin() -> None:
    """What is logged before the settings are read, that they cannot be read for example, is JSON as well.

    On a terminal it is the sentence alone, for whoever has typed the command.
    """
    root = logging.getLogger()
    if root.handlers or not sys.stderr or sys.stderr.isatty():
        return
    handler = logging.StreamHandler()
    handler.setFormatter(json_formatter())
    root.addHandler(handler)
    logging.captureWarnings(True)


def begin_service(configuration: Mapping[str, Any]) -> None:
    """Set up the log by the LOGGING setting; what Python itself would print goes there, too."""
    logging.config.dictConfig(dict(configuration))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda ended: _log_uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)
    sys.unraisablehook = lambda ignored: _log_uncaught(ignored.exc_type, ignored.exc_value, ignored.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """A process or a thread has ended with an exception, or one was raised where nobody can catch it."""
    if not issubclass(kind, SystemExit):
        logger.critical("Nobody expected this error.", exc_info=(kind, error or kind(), trace))


def configuration(level: str, sentry: Mapping[str, str | None] | None = None) -> dict[str, Any]:
    """The LOGGING setting: everything goes to standard error as JSON, and nothing is mailed.

    Django's own report by mail (``mail_admins``) would hold the fields of the form that was posted. With ``sentry``,
    the options of its handler, errors go there as well.
    """
    through_root = {"handlers": [], "level": "NOTSET", "propagate": True}
    handlers: dict[str, Any] = {"console": {"class": "logging.StreamHandler", "formatter": "json"}}
    if sentry is not None:
        handlers["sentry"] = {"()": "portal.sentry.Handler", **sentry}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"not_our_fault": {"()": "portal.logs.NotOurFault"}, "no_advice": {"()": "portal.logs.NoAdvice"}},
        "formatters": {"json": {"()": "portal.logs.json_formatter"}},
        "handlers": handlers,
        "root": {"handlers": [*handlers], "level": level},
        "loggers": {
            "django": through_root,
            "django.server": through_root,
            # The debug lines of these hold tokens, and the parameters of queries.
            "authlib": {"level": "INFO"},
            "django.db.backends": {"level": "INFO"},
            # A line for every request to the Graph API, or for every task; and that a folder has no host name.
            **{name: {"level": "WARNING"} for name in _TALKATIVE},
            "kombu.connection": {"level": "ERROR"},
            # Of processes that Celery forks; the library leaves its lines to a handler that nobody has set up.
            "multiprocessing": {"level": "ERROR", "propagate": True},
            # Sends to Sentry: three lines for each error while that is away (portal/sentry.py has one).
            "urllib3": {"level": "ERROR"},
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
    """These libraries' lines about an error quote it; what may be told of it stands in its report."""
    library = str(event.get("logger")).partition(".")[0]
    if library == "celery" and event.get("exc_info"):
        event["event"] = str(event["event"]).partition(": ")[0]
    elif library == "asyncio":  # also the callback's arguments, and what a future holds
        event["event"] = str(event["event"]).partition("\n")[0].partition("(")[0]
    return event


class Raised(NamedTuple):
    """What may be told of an exception: its type, its message or that it was left out, and where it came by."""

    kind: str
    message: str
    frames: list[FrameSummary]


def raised(error: BaseException | None) -> list[Raised]:
    """An exception and its causes, as far as they do not repeat."""
    told: list[Raised] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(told) < MOST_CAUSES:
        seen.add(id(error))
        kind = type(error).__name__
        told.append(Raised(kind, _message(error) if kind in TELLING else "(left out)", _frames(error)))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _message(error: BaseException) -> str:
    """The first line: below it PostgreSQL quotes the row."""
    try:
        return str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001  # whatever its class does, the line is written
        return "(cannot be read)"


def _frames(error: BaseException) -> list[FrameSummary]:
    frames = list(StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False))
    half = MOST_FRAMES // 2
    return frames if len(frames) <= MOST_FRAMES else frames[:half] + frames[-half:]


def exception_report(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """What a line tells of an exception."""
    return [
        {"type": kind, "message": message, "frames": [f"{at.filename}:{at.lineno} {at.name}" for at in frames]}
        for kind, message, frames in raised(exc_info[1])
    ]
