"""Sending mail: after the commit, beside the request, and never a reason for it to fail."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.console import EmailBackend
from django.db import transaction
from django.template.loader import render_to_string

from accounts.models.host import host_name

logger = logging.getLogger(__name__)

#: The backend of this module that prints mails.
PRINTS = "portal.mail.ConsoleBackend"
#: What pages say of a mail backend, by its class; of any other, nothing is known.
_KINDS = {
    "django.core.mail.backends.smtp.EmailBackend": "smtp",
    "django.core.mail.backends.dummy.EmailBackend": "dummy",
    PRINTS: "console",
}
_unprinted = ContextVar("unprinted", default=False)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")


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


def compose(template: str, to: str, context: Mapping[str, Any]) -> EmailMessage:
    """The mail of ``<template>_subject.txt`` and ``<template>_message`` in text and HTML, in the active language."""
    known = {"host_name": host_name(), "base_url": settings.BASE_URL, **context}
    subject = " ".join(render_to_string(f"{template}_subject.txt", known).split())
    message = EmailMultiAlternatives(subject, render_to_string(f"{template}_message.txt", known), to=[to])
    message.attach_alternative(render_to_string(f"{template}_message.html", known), "text/html")
    return message


@contextmanager
def unprinted() -> Iterator[None]:
    """For commands that print the link themselves: where mails would be printed, theirs are left out."""
    token = _unprinted.set(True)
    try:
        yield
    finally:
        _unprinted.reset(token)


def deliver(message: EmailMessage) -> None:
    """Send once the transaction is committed.

    In a thread: the answer to a request must not wait for the mail server, nor tell by its time whether a mail went
    out. A mail server that is down undoes nothing: who may invite sees the link, and a password can be asked for again.
    """
    if _unprinted.get() and settings.EMAIL_BACKEND == PRINTS:
        return
    if settings.MAIL_IN_BACKGROUND:
        transaction.on_commit(lambda: _threads.submit(_send, message))
    else:
        transaction.on_commit(lambda: _send(message))


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError:  # SMTP's own exceptions are OSErrors too
        logger.exception("A mail could not be sent.")
