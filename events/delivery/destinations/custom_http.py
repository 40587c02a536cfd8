"""An HTTP API of the account's choice as a destination of gateway pipelines (pipelines/custom_http)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import orjson

from common import quoting
from common.public_http import Reply
from events.delivery.destinations.answers import (
    SHOWN_MAX_LENGTH,
    Accepted,
    Answer,
    Refused,
    Sample,
    Sender,
    Trial,
    Wait,
)
from pipelines.custom_http import answers
from pipelines.custom_http.configuration import Secrets, Shown
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.requests import batch_size
from pipelines.custom_http.sending import exchange, preview, send


def sender(settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Sender | None:
    """The destination, unless nobody has configured it."""
    try:
        shown, hidden = Shown.read(settings), Secrets.read(secrets)
    except msgspec.ValidationError:
        return None
    return Sender(batch_size(shown), partial(_send, shown, hidden))


def _send(shown: Shown, hidden: Secrets, events: Sequence[bytes], options: str) -> Answer:
    """``options`` are for Meta alone."""
    return _judged(send(shown, hidden, list(map(orjson.loads, events))))


def try_out(settings: Mapping[str, Any], secrets: Mapping[str, Any], sample: Sample) -> Trial:
    """Send one event, as real ones are sent. The settings and secrets are those of a ``sender``."""
    shown, hidden = Shown.read(settings), Secrets.read(secrets)
    try:
        request = preview(shown, [sample.shown]).text
    except TemplateError as error:
        request = str(error)
    done = exchange(shown, hidden, [orjson.loads(sample.event)])
    if not isinstance(done.reply, Reply):
        return Trial(request, _judged(done.answer))
    body = quoting.shown(done.reply.body.decode(errors="replace"), SHOWN_MAX_LENGTH, *done.hidden, *sample.hidden)
    return Trial(request, _judged(done.answer), done.reply.status, body)


def _judged(answer: answers.Answer) -> Answer:
    match answer:
        case answers.Accepted():
            return Accepted()
        case answers.Refused(words, status):
            return Refused(_code(status), words)
        case answers.Wait(words, status, retry_after):
            return Wait(_reason(words, status), _code(status), words, retry_after)
        case answers.Held(words, status):
            return Wait(_reason(words, status), _code(status), words, held=True)


def _code(status: int | None) -> str:
    return "" if status is None else str(status)


def _reason(words: str, status: int | None) -> str:
    """For the log of the process, which nobody's answer goes into: it may quote an event."""
    return words if status is None else f"HTTP {status}"
