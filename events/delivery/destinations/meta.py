"""Meta's Conversions API as a destination of gateway pipelines: the same requests as for a pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from common import quoting
from common.secrets import MASK
from events.delivery import graph_api
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

#: What one request to the Graph API may hold (the reference's limit).
MOST_EVENTS = 1_000


def sender(settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Sender | None:
    """The data set, if it is said which, and with which token."""
    data_set, version, token = settings.get("dataSetId"), settings.get("apiVersion"), secrets.get("accessToken")
    if not (data_set and version and token):
        return None
    return Sender(MOST_EVENTS, partial(_send, data_set, version, token))


def _send(data_set: str, version: str, token: str, events: Sequence[bytes], options: str) -> Answer:
    answer = graph_api.post_events(
        pixel_id=data_set, api_version=version, access_token=token, events=events, options=options
    )
    return _judged(answer)


def try_out(settings: Mapping[str, Any], secrets: Mapping[str, Any], sample: Sample) -> Trial:
    """Send one event, as real ones are sent; with a code for tests in its options, Meta does not count it.

    The settings and secrets are those of a ``sender``.
    """
    url = graph_api.events_url(settings["dataSetId"], settings["apiVersion"])
    token = secrets["accessToken"]
    shown = orjson.loads(graph_api.body_with([orjson.dumps(sample.shown)], MASK, sample.options))
    body = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
    request = f"POST {url}\nContent-Type: application/json\n\n{body}"
    sent = graph_api.body_with([sample.event], token, sample.options)
    answered = graph_api.ask("POST", url, graph_api.JSON_HEADERS, sent, seconds=graph_api.seconds_for_people())
    if isinstance(answered, graph_api.RetryLater):
        return Trial(request, _judged(answered))
    status, _, raw = answered
    told = quoting.shown(raw.decode(errors="replace"), SHOWN_MAX_LENGTH, token, *sample.hidden)
    return Trial(request, _judged(graph_api.judge(*answered, secret=token)), status, told)


def _judged(answer: graph_api.GraphAnswer) -> Answer:
    match answer:
        case graph_api.Accepted(trace_id):
            return Accepted(trace_id)
        case graph_api.Refused(problem):
            return Refused(problem.name, problem.message, problem.trace_id)
        case graph_api.RetryLater(reason, problem, retry_after):
            code, message = (problem.name, problem.message) if problem else ("", "")
            return Wait(reason, code, message, retry_after)
        case graph_api.BadToken(problem):
            return Wait(f"token rejected, code {problem.name}", problem.name, problem.message, held=True)
