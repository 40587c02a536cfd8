"""Errors for Sentry, or what speaks its protocol: imported only where SENTRY_DSN is set.

What the log tells at level ERROR is told there, and no more: the sentence without its values, types of exceptions,
places in the code. Nothing else is collected, so that nothing need be scrubbed: the SDK looks into no request, no
task, no query and no local variable (docs/decisions/0041-errors-for-sentry.md).
"""

from __future__ import annotations

import logging
import os
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path
from traceback import FrameSummary
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.transport import HttpTransport

from common import env
from portal import logs

if TYPE_CHECKING:
    from sentry_sdk.types import Event

logger = logging.getLogger(__name__)

#: A process that ends waits so long for what Sentry has not taken yet.
FLUSH_SECONDS = 2.0
#: Loggers whose sentences without values are written in code. Others put into them what they were given.
_CONSTANT = frozenset(
    {"_granian", "accounts", "alerts", "common", "events", "filters", "pipelines", "pixels", "portal"}
)
#: What sends to Sentry must not tell Sentry of its own failures.
_SENDERS = frozenset({"sentry_sdk", "urllib3"})
_LEFT_OUT = "(left out)"


class Handler(logging.Handler):
    """Hands errors to a thread that sends them; where 100 wait, or Sentry asks to wait, those that come are left out.

    Each process has a client of its own, made with its first error. A connection that came with a fork is the
    parent's: it is neither used nor closed.
    """

    def __init__(self, *, dsn: str, environment: str, release: str | None = None) -> None:
        super().__init__(logging.ERROR)
        # Without a release, the SDK would ask git for one.
        self._make = partial(_make_client, dsn, environment, release or "")
        self._clients: dict[int, sentry_sdk.Client] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, soon. Whatever goes wrong is a warning: whoever has logged the error goes on."""
        if _source(record) in _SENDERS:
            return
        try:
            client = self._client()
            if client.transport and client.transport.is_healthy():
                client.capture_event(event_of(record))
        except Exception:
            logger.warning("Sentry could not be told of an error.", exc_info=True)

    def _client(self) -> sentry_sdk.Client:
        pid = os.getpid()
        if pid not in self._clients:
            self._clients[pid] = client = self._make()
            # Runs at the end of a process that multiprocessing has started as well, where atexit does not.
            Finalize(None, client.flush, kwargs={"timeout": FLUSH_SECONDS}, exitpriority=0)
        return self._clients[pid]


class _Sender(HttpTransport):
    """Sentry's own, which says nothing of what it could not send."""

    def on_dropped_event(self, reason: str) -> None:
        logger.warning("Sentry did not take an error: %s.", reason)


def _make_client(dsn: str, environment: str, release: str) -> sentry_sdk.Client:
    """A client that collects nothing by itself: integrations are what would read requests, queries and variables."""
    return sentry_sdk.Client(
        dsn=dsn,
        environment=environment,
        release=release,
        transport=_Sender,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        # Given here, variables of the environment do not switch them on.
        debug=False,
        spotlight=False,
    )


def event_of(record: logging.LogRecord) -> Event:
    """What Sentry is told of a record of the log."""
    event: Event = {
        "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
        "logger": record.name,
        "logentry": {"message": _sentence(record)},
    }
    if place := _place(record):
        event["transaction"] = place
    if error_id := getattr(record, "error_id", None):
        event["tags"] = {"error_id": error_id}
    if record.exc_info and record.exc_info[1]:
        event["exception"] = {"values": _exceptions(record.exc_info[1])}
    return event


def _source(record: logging.LogRecord) -> str:
    return record.name.partition(".")[0]


def _sentence(record: logging.LogRecord) -> str:
    """The sentence as it stands in the code."""
    return str(record.msg) if record.args or _source(record) in _CONSTANT else _LEFT_OUT


def _place(record: logging.LogRecord) -> str | None:
    """The route of the page, without what stood in its address; or the name of the task."""
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    task = getattr(record, "data", None)
    return match.route if match else task.get("name") if isinstance(task, dict) else None


def _exceptions(error: BaseException) -> list[dict[str, Any]]:
    """The exception and its causes; Sentry has the first cause first."""
    return [
        {"type": kind, "value": message, "stacktrace": {"frames": [_frame(frame) for frame in frames]}}
        for kind, message, frames in reversed(logs.raised(error))
    ]


def _frame(frame: FrameSummary) -> dict[str, Any]:
    """A place in the code, named alike on every machine."""
    path = Path(frame.filename)
    ours = path.is_relative_to(env.ROOT) and "site-packages" not in path.parts
    short = str(path.relative_to(env.ROOT)) if ours else frame.filename.rpartition("site-packages/")[2]
    return {
        "filename": short,
        "abs_path": frame.filename,
        "lineno": frame.lineno,
        "function": frame.name,
        "in_app": ours,
    }
