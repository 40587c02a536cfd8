"""What an answer says about the events, by its status alone: whatever else it holds is for people."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from common.public_http import Reply, Silence
from common.quoting import seconds_until, shown
from pipelines.custom_http.answers import WORDS_MAX_LENGTH, Accepted, Answer, Held, Refused, Wait

#: The reference's: who does not answer in time has timed out.
TIMEOUT_SECONDS = 5

#: Who sends is not known, or may not.
_HELD = frozenset((401, 403))
#: Of the client's faults those that pass: too slow, too early, too often.
_WAITED = frozenset((408, 425, 429))


def timeout() -> int:
    """How long one request may take. A lane is leased for four of the longest that a worker waits for."""
    return min(TIMEOUT_SECONDS, settings.PUBLISH_TIMEOUT_SECONDS)


def judge(reply: Reply | Silence, *, secrets: Iterable[str] = ()) -> Answer:
    """The class of an answer. It may quote the ``secrets``: they come masked."""
    if isinstance(reply, Silence):
        return Wait(_SILENCES.get(reply.reason, _NO_ANSWER).format(seconds=timeout(), reason=reply.reason))
    status = reply.status
    if 200 <= status < 300:
        return Accepted(status)
    words = _words(reply, secrets)
    if status in _HELD:
        return Held(words, status)
    if 400 <= status < 500 and status not in _WAITED:
        return Refused(words, status)
    return Wait(words, status, seconds_until(reply.headers.get("retry-after")))


def why_silent(reason: str) -> str:
    """Why there was no answer, in the reader's language; ``judge`` says it in English, which is kept and logged."""
    return gettext(_SILENCES.get(reason, _NO_ANSWER)).format(seconds=timeout(), reason=reason)


def in_words(kept: str) -> str:
    """What `judge` has said of a silence, in the reader's language; what the destination said stays as it is."""
    for silence in _SILENCES.values():
        if kept == silence.format(seconds=timeout()):
            return gettext(silence).format(seconds=timeout())
    before, _, after = _NO_ANSWER.partition("{reason}")
    if kept.startswith(before) and kept.endswith(after):
        return gettext(_NO_ANSWER).format(reason=kept.removeprefix(before).removesuffix(after))
    return kept


_NO_ANSWER = gettext_noop("No answer ({reason}).")
_SILENCES = {
    "address not permitted": gettext_noop("The address is not on the public internet."),
    "ConnectTimeout": gettext_noop("No connection in {seconds} seconds."),
    "ReadTimeout": gettext_noop("No answer in {seconds} seconds."),
    "WriteTimeout": gettext_noop("Not taken in {seconds} seconds."),
    "ConnectError": gettext_noop(
        "No connection: the name is unknown, nobody is there, or the certificate is not valid."
    ),
}


def _words(reply: Reply, secrets: Iterable[str]) -> str:
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status}: redirects are not followed."
    text = shown(reply.body.decode(errors="replace"), WORDS_MAX_LENGTH, *secrets)
    return f"HTTP {reply.status}: {text}" if text.strip() else f"HTTP {reply.status}"
