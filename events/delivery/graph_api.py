"""The Graph API: sending events and asking about a token, the answer put into one of four classes.

An answer is judged by Meta's ``error.code``, not by the HTTP status (the reference's "Handling errors"). The access
token goes into the request's body or its Authorization header and nowhere else: no address, exception, answer or log
line of this module holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx
import msgspec
from django.conf import settings

from common.deadlines import DeadlineTransport, ends_after
from common.quoting import seconds_until, shown
from common.sending import AnswerClass
from events.delivery.graph_errors import TOO_LARGE, Blame, blame

ANSWER_MAX_BYTES = 262_144
#: How long a person waits for what Meta says.
PERSON_TIMEOUT_SECONDS = 5.0
CODE_MAX_LENGTH = 20
TRACE_ID_MAX_LENGTH = 100
MESSAGE_MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """What Meta says is wrong."""

    code: int
    subcode: int | None
    message: str
    trace_id: str
    #: Meta says that it passes.
    is_transient: bool = False

    @property
    def name(self) -> str:
        """``<code>.<subcode>``, as ``apiErrorCode`` shows it."""
        name = str(self.code) if self.subcode is None else f"{self.code}.{self.subcode}"
        return name[:CODE_MAX_LENGTH]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta has the events, or knows the token."""

    trace_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one of the events is bad, and Meta took none of them."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Nothing is known to be wrong with the events. ``reason`` is for the log, ``problem`` is Meta's."""

    reason: str
    problem: Problem | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class BadToken:
    """Meta does not know the access token any more."""

    problem: Problem


GraphAnswer = Accepted | Refused | RetryLater | BadToken
#: As metrics and traces call them.
CLASSES: Mapping[type[GraphAnswer], AnswerClass] = {
    Accepted: "accepted",
    Refused: "refused",
    RetryLater: "retry",
    BadToken: "held",
}


class _Error(msgspec.Struct):
    code: int
    error_subcode: int | None = None
    message: str | None = None
    error_user_msg: str | None = None
    fbtrace_id: str | None = None
    is_transient: bool | None = None


class _Body(msgspec.Struct):
    error: _Error | None = None
    events_received: int | None = None
    fbtrace_id: str | None = None
    id: str | None = None


JSON_HEADERS = {b"Content-Type": b"application/json"}
_decode = msgspec.json.Decoder(_Body, strict=False).decode


def publishes_to_sandbox() -> bool:
    """Is a stand-in asked, and not Meta? Pages then must not say that Meta has something."""
    return not f".{urlsplit(settings.GRAPH_API_URL).hostname}".endswith(".facebook.com")


def post_events(
    *,
    pixel_id: str,
    api_version: str,
    access_token: str,
    events: Iterable[msgspec.Raw | bytes],
    options: str = "",
) -> GraphAnswer:
    """Send events, each the JSON of one, or of several with commas between them.

    ``options`` is the JSON object of what else Meta is to know, or empty.
    """
    body = body_with(events, access_token, options)
    url = events_url(pixel_id, api_version)
    answer = ask("POST", url, JSON_HEADERS, body, seconds=settings.PUBLISH_TIMEOUT_SECONDS)
    return answer if isinstance(answer, RetryLater) else judge(*answer, secret=access_token)


def events_url(pixel_id: str, api_version: str) -> str:
    """Where a pixel's or data set's events are posted."""
    return f"{settings.GRAPH_API_URL}/{api_version}/{pixel_id}/events"


def body_with(events: Iterable[msgspec.Raw | bytes], access_token: str, options: str) -> bytes:
    """What is posted there; see ``post_events``."""
    further = b"," + options[1:-1].encode() if options else b""
    return b'{"data":[%s],"access_token":%s%s}' % (b",".join(events), msgspec.json.encode(access_token), further)


def ask_about_token(*, api_version: str, access_token: str) -> GraphAnswer:
    """Does Meta know the token? Asked of the one edge that whoever has a token may read: the token's own.

    What it may do on a pixel is known once events are sent. Somebody waits for the answer, so it gets less time.
    """
    url = f"{settings.GRAPH_API_URL}/{api_version}/me?fields=id"
    headers = {b"Authorization": f"Bearer {access_token}".encode()}
    answer = ask("GET", url, headers, seconds=seconds_for_people())
    if isinstance(answer, RetryLater):
        return answer
    if 200 <= answer[0] < 300 and (body := _read(answer[2])).error is None and body.id:
        return Accepted("")
    return judge(*answer, secret=access_token)


def seconds_for_people() -> float:
    """How long a request may take that somebody waits for."""
    return min(PERSON_TIMEOUT_SECONDS, settings.PUBLISH_TIMEOUT_SECONDS)


def ask(
    method: str, url: str, headers: dict[bytes, bytes], body: bytes | None = None, *, seconds: float
) -> tuple[int, Mapping[str, str], bytes] | RetryLater:
    """Status, headers and body of the answer; RetryLater where there is none in time, or no end of it."""
    headers = headers | {b"Accept-Encoding": b"identity"}
    try:
        with (
            ends_after(seconds),
            _client().stream(method, url, content=body, headers=headers, timeout=seconds) as response,
        ):
            answer = bytearray()
            for chunk in response.iter_raw():
                answer += chunk
                if len(answer) > ANSWER_MAX_BYTES:
                    return RetryLater("endless answer")
            return response.status_code, response.headers, bytes(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return RetryLater(type(error).__name__)


@cache
def _client() -> httpx.Client:
    """The process's client, whose connections its threads share."""
    connections = settings.CELERY_WORKER_CONCURRENCY
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.Client(transport=DeadlineTransport(limits))


def judge(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> GraphAnswer:
    """The class of an answer. Meta may quote the ``secret``, and its words are stored and shown: they come masked."""
    answer = _read(body)
    if answer.error is not None:
        return _judge_error(answer.error, seconds_until(headers.get("retry-after")), secret)
    if answer.events_received is not None and 200 <= status < 300:
        return Accepted(shown(answer.fbtrace_id, TRACE_ID_MAX_LENGTH, secret))
    if status == TOO_LARGE:
        return Refused(Problem(TOO_LARGE, None, "The request is too large.", ""))
    return RetryLater(f"HTTP {status}", retry_after=seconds_until(headers.get("retry-after")))


def _read(body: bytes) -> _Body:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Body()


def _judge_error(error: _Error, retry_after: float | None, secret: str) -> GraphAnswer:
    problem = Problem(
        error.code,
        error.error_subcode,
        shown(" ".join(filter(None, (error.message, error.error_user_msg))), MESSAGE_MAX_LENGTH, secret),
        shown(error.fbtrace_id, TRACE_ID_MAX_LENGTH, secret),
        bool(error.is_transient),
    )
    blamed = blame(problem.code, problem.subcode)
    if blamed is Blame.TOKEN:
        return BadToken(problem)
    if blamed.refuses and not error.is_transient:
        return Refused(problem)
    return RetryLater(f"code {problem.name}", problem, retry_after)
