"""Posting to a receiver: through the guard of addresses, within seconds, and with a line in its log."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext

from alerts.channels.answers import Answer, Compose, Later, Message, Taken, Told
from alerts.models import Notice, Posting, Receiver
from alerts.models.notices import FAULT_MAX_LENGTH, SAID_MAX_LENGTH
from common.public_http import Reply, Silence, ask
from common.quoting import seconds_until, shown
from common.secrets import UndecryptableError
from common.sending import sending
from pipelines.custom_http import judging
from pipelines.custom_http.judging import timeout
from pipelines.custom_http.requests import USER_AGENT

#: A receiver that has taken nothing for so long is switched off.
SWITCHED_OFF_AFTER = timedelta(days=1)
#: It says so itself: nobody is there any more.
_GONE = 410
#: The fault where an address or a secret cannot be decrypted.
NO_KEY = "no key"
#: A part of an address that may be what makes it a secret.
_TELLING_LENGTH = 8


def lease() -> timedelta:
    """Longer than one request takes."""
    return timedelta(seconds=2 * timeout())


def post(compose: Compose, receiver: Receiver, told: Told) -> tuple[Posting, float | None]:
    """Post once; the line of the log, and in how many seconds the receiver wants to be asked again."""
    started = time.monotonic()
    hidden: tuple[str, ...] = ()
    reply: Reply | Silence
    try:
        with translation.override(settings.LANGUAGE_CODE):
            message = compose(receiver, told)
        url = receiver.url.reveal()
        hidden = _hidden(url, receiver.secrets(), message)
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json", **message.headers}
        with sending("alert", receiver.channel) as sent:
            reply = ask("POST", url, headers, message.body, seconds=timeout())
            sent.answer = "accepted" if _is_taken(reply) else "retry"
    except UndecryptableError:
        reply = Silence(NO_KEY)
    posting = Posting.objects.create(
        receiver=receiver,
        notice_id=told.id,
        kind=told.kind,
        duration=round((time.monotonic() - started) * 1000),
        taken=_is_taken(reply),
        status=reply.status if isinstance(reply, Reply) else None,
        fault=reply.reason[:FAULT_MAX_LENGTH] if isinstance(reply, Silence) else "",
        said=_said(reply, hidden),
    )
    _count(posting)
    return posting, seconds_until(reply.headers.get("retry-after")) if isinstance(reply, Reply) else None


def _is_taken(reply: Reply | Silence) -> bool:
    return isinstance(reply, Reply) and 200 <= reply.status < 300


def answer_of(posting: Posting, retry_after: float | None) -> Answer:
    """What it means for the notice. Whatever is wrong with one is taken for the receiver's fault: a notice that fails
    waits, and so does the receiver, but for less and less long."""
    if posting.taken:
        return Taken()
    return Later(f"HTTP {posting.status}" if posting.status else posting.fault, retry_after=retry_after)


def why_silent(posting: Posting) -> str:
    """Why there was no answer, in the reader's language."""
    if posting.fault == NO_KEY:
        return gettext("Nothing was sent: FIELD_ENCRYPTION_KEYS lacks the key of a secret.")
    return judging.why_silent(posting.fault) if posting.fault else ""


def _hidden(url: str, secrets: list[str], message: Message) -> tuple[str, ...]:
    """What the log does not quote, however the receiver does."""
    parts = urlsplit(url)
    pieces = [piece for piece in (*parts.path.split("/"), parts.query) if len(piece) >= _TELLING_LENGTH]
    return (url, *pieces, *secrets, message.headers.get("webhook-signature", ""))


def _said(reply: Reply | Silence, hidden: tuple[str, ...]) -> str:
    if isinstance(reply, Silence) or 300 <= reply.status < 400:
        return ""
    return shown(reply.body.decode(errors="replace"), SAID_MAX_LENGTH, *hidden).strip()


def _count(posting: Posting) -> None:
    """Keep since when the receiver fails; a trial tells what is well, and not what is wrong."""
    row = Receiver.objects.filter(pk=posting.receiver_id)
    if posting.taken:
        row.exclude(failures=0).update(failures=0, failing_since=None)
    elif posting.kind != Notice.Kind.TEST:
        now = timezone.now()
        row.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", Value(now)))
        long = row.filter(disabled_at=None)
        if posting.status != _GONE:
            long = long.filter(failing_since__lte=now - SWITCHED_OFF_AFTER)
        long.update(disabled_at=now)
