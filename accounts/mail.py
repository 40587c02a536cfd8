"""Sending mail: after the commit, beside the request, and never a reason for it to fail."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum
from functools import partial
from smtplib import SMTPRecipientsRefused
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.console import EmailBackend
from django.db import close_old_connections, transaction
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import translation
from limits import parse

from accounts.languages import language_for
from accounts.models.host import host_name
from common.background import Background
from common.rate_limits import RateLimit

logger = logging.getLogger(__name__)

#: The backend of this module that prints mails.
PRINTS = "accounts.mail.ConsoleBackend"
#: What pages say of a mail backend, by its class; of any other, nothing is known.
_KINDS = {
    "django.core.mail.backends.smtp.EmailBackend": "smtp",
    "django.core.mail.backends.dummy.EmailBackend": "dummy",
    PRINTS: "console",
}
_FOR_EXAMPLES = ("example.com", "example.net", "example.org", "example", "invalid", "localhost", "test")
#: What mail programs take for a part of an address: they make a link of "example.com" and "http://example.com", and
#: phones of a number.
_IN_ADDRESSES = re.compile(r"([.:@\\。．｡])(?=\S)|(\d|\+)(?=\d)")
_unprinted = ContextVar("unprinted", default=False)
#: Of alerts, by recipient: no stranger's act sends them, and the fifth of a day may be the one that matters.
ALERTS_RATE_LIMIT = parse("50/day")
#: So many mails may wait; more than an account sends in a day.
_ROOM = 10_000


class Kind(StrEnum):
    """Mails are counted by kind, for the recipient and for whose act it is, and wait by kind.

    Whoever invites people all day neither stops nor delays a new password or a warning. A notice is the person's own:
    nobody else's mails keep it away.
    """

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105  # no password  # nosec B105
    NOTICE = "notice"
    TEST = "test"
    ALERT = "alert"
    ALERT_CLOSED = "alert closed"
    DIGEST = "digest"


_invitations = Background("Invitations by mail", threads=2, room=_ROOM)
_others = Background("Mails", threads=2, room=_ROOM)


def _queue_of(kind: Kind) -> Background:
    return _invitations if kind is Kind.INVITATION else _others


class ConsoleBackend(EmailBackend):
    """Prints mails where no mail server is named. On standard error: what commands print is read by programs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"stream": sys.stderr, **kwargs})

    def write_message(self, message: EmailMessage) -> None:
        self.stream.write(f"\nMail to {', '.join(message.to)}: {message.subject}\n\n{message.body}\n\n")


def mail_kind() -> str:
    """``smtp``, ``console``, ``dummy``, or the class of a mail backend that is none of these."""
    backend: str = settings.EMAIL_BACKEND
    return _KINDS.get(backend, backend)


def is_mail_set_up() -> bool:
    """Does a mail reach anybody, or is it printed or thrown away?"""
    return mail_kind() not in ("console", "dummy")


def reaches_nobody(email: str) -> bool:
    """Is the address of a domain that is kept for examples (RFC 2606), as those of the demo's people are, where mails
    go to a mail server? Whoever prints or collects mails sees them all."""
    domain = email.rpartition("@")[2].lower()
    return mail_kind() == "smtp" and any(f".{domain}".endswith(f".{kept}") for kept in _FOR_EXAMPLES)


def as_name(text: object) -> str:
    """What somebody wrote, in a mail: an unseen space behind each mark and digit keeps programs from making a link."""
    return _IN_ADDRESSES.sub("\\g<0>\N{ZERO WIDTH SPACE}", str(text))


def compose(template: str, to: str, context: Mapping[str, Any]) -> EmailMessage:
    """The mail of ``<template>_subject.txt`` and ``<template>_message``, in the active language.

    The message is text, and HTML where there is a template of it.
    """
    known = {"host_name": as_name(host_name()), "base_url": settings.BASE_URL, **context}
    subject = " ".join(render_to_string(f"{template}_subject.txt", known).split())
    message = EmailMultiAlternatives(subject, render_to_string(f"{template}_message.txt", known).strip(), to=[to])
    with suppress(TemplateDoesNotExist):  # allauth's notices have none
        message.attach_alternative(render_to_string(f"{template}_message.html", known), "text/html")
    return message


def may_mail(kind: Kind, to: str, account: str = "") -> bool:
    """Count a mail; False where the recipient has had their mails of this kind today, or ``account`` has sent its.

    A notice counts for the recipient alone: it tells of something that was done already.
    """
    of_recipient = RateLimit("mails to an address", settings.MAIL_RECIPIENT_RATE_LIMIT)
    if kind is Kind.NOTICE:
        return of_recipient.hit(kind, _mailbox(to))
    of_account = RateLimit("mails of an account", settings.MAIL_ACCOUNT_RATE_LIMIT)
    if of_account.is_exhausted(kind, account):
        return False
    return of_recipient.hit(kind, _mailbox(to)) and of_account.hit(kind, account)


def send_now(template: str, to: str, context: Mapping[str, Any], *, kind: Kind, message_id: str) -> bool:
    """Send the mail at once, in the active language; False where the recipient has had so many of this kind today.

    Raises OSError where the mail server does not take it: nothing was counted. Who sends it again names the same
    ``message_id``, a part of the header by which mail programs tell that it is the same.
    """
    limit = RateLimit("mails to an address", ALERTS_RATE_LIMIT)
    if limit.is_exhausted(kind, _mailbox(to)):
        return False
    message = compose(template, to, context)
    message.extra_headers["Message-ID"] = f"<{message_id}@{urlsplit(settings.BASE_URL).hostname}>"
    message.send()
    limit.hit(kind, _mailbox(to))
    return True


def _mailbox(address: str) -> str:
    """What many addresses have in common that lead to one mailbox: ``ada+shoes@example.com`` is Ada's."""
    name, _, domain = address.lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def send_later(
    template: str, to: str, context: Mapping[str, Any], *, kind: Kind, language: str, account: str = ""
) -> bool:
    """Send the mail once the transaction is committed; ``account`` is whose act it is.

    ``language`` is the recipient's; where it is empty, the mail is in that of whoever acts.

    False where nobody will get it: mail is not set up, a limit is reached, or too many mails wait.
    """
    if _unprinted.get() and settings.EMAIL_BACKEND == PRINTS:
        return False
    if not _queue_of(kind).has_room or not may_mail(kind, to, account):
        return False
    make = partial(_compose_in, language_for(language), template, to, context)
    transaction.on_commit(lambda: send_in_background(kind, make))
    return is_mail_set_up()


def send_in_background(kind: Kind, make: Callable[[], EmailMessage | None]) -> None:
    """Make a mail and send it in a thread: no answer waits for that, or tells by its time whether a mail went out."""
    if settings.MAIL_IN_BACKGROUND:
        _queue_of(kind).submit(partial(_make_and_send, make))
    else:
        _send(make())


def _make_and_send(make: Callable[[], EmailMessage | None]) -> None:
    try:
        message = make()
    except Exception:
        logger.exception("A mail could not be made.")
        return
    finally:
        close_old_connections()  # before the mail server is asked, which may take its time
    _send(message)


def _compose_in(language: str, template: str, to: str, context: Mapping[str, Any]) -> EmailMessage:
    with translation.override(language):
        return compose(template, to, context)


def _send(message: EmailMessage | None) -> None:
    """A mail server that is down undoes nothing: a link is shown as well, or can be asked for again."""
    try:
        if message:
            message.send()
    except OSError as error:  # SMTP's own exceptions are OSErrors too; they hold addresses, which no log does
        logger.error("A mail could not be sent: %s.", reason_of(error))


def reason_of(error: OSError) -> str:
    """Why a mail server took no mail, for a log: the exception's name, and the server's code where there is one. What
    the server says may quote addresses."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, SMTPRecipientsRefused):
        code = min((code for code, _ in error.recipients.values()), default=None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


@contextmanager
def unprinted() -> Iterator[None]:
    """For commands that print the link themselves: where mails would be printed, theirs are left out."""
    token = _unprinted.set(True)
    try:
        yield
    finally:
        _unprinted.reset(token)
