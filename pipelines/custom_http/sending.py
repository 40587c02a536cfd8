"""Sending events to a destination, and showing what would be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.public_http import Reply, Silence, ask
from common.secrets import MASK
from pipelines.custom_http.answers import Answer, Held, Refused
from pipelines.custom_http.configuration import Secrets, Shown
from pipelines.custom_http.credentials import credential_of, place_of
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.judging import judge, timeout
from pipelines.custom_http.requests import HttpRequest, make_request
from pipelines.custom_http.template import read_template


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with events and what came back."""

    answer: Answer
    #: To the request with the events; None where it was not made.
    reply: Reply | Silence | None = None
    #: What nobody is shown, however the reply quotes it.
    hidden: tuple[str, ...] = ()


def send(shown: Shown, secrets: Secrets, events: Sequence[Mapping[str, Any]]) -> Answer:
    """What became of one request with these events, ``batch_size`` at most."""
    return exchange(shown, secrets, events).answer


def exchange(shown: Shown, secrets: Secrets, events: Sequence[Mapping[str, Any]]) -> Exchange:
    """One request with these events.

    It asks four times at most, each within ``timeout``: for a token, with the events, and both once more where a token
    that was kept is not taken any more.
    """
    try:
        template = read_template(shown.payload_schema)
    except TemplateError as error:  # what another version saved
        return Exchange(Held(f"The template: {error}"))
    try:
        request = make_request(shown, template.render(events))
    except TemplateError as error:
        return Exchange(Refused(f"The template: {error}"))
    done = _send(shown, secrets, request)
    return _send(shown, secrets, request, is_renewed=True) if _is_token_old(shown, done) else done


def preview(shown: Shown, events: Sequence[Mapping[str, Any]]) -> HttpRequest:
    """What ``send`` would send, with a mask in the place of every secret; TemplateError where it could not."""
    request = make_request(shown, read_template(shown.payload_schema).render(events))
    place = place_of(shown)
    return request.signed(place, MASK) if place else request


def _send(shown: Shown, secrets: Secrets, request: HttpRequest, *, is_renewed: bool = False) -> Exchange:
    hidden = secrets.values
    if place := place_of(shown):
        credential = credential_of(shown, secrets, is_renewed=is_renewed)
        if not isinstance(credential, str):
            return Exchange(credential)
        request, hidden = request.signed(place, credential), (*hidden, credential)
    reply = ask(request.method, request.url, request.headers, request.body, seconds=timeout())
    return Exchange(judge(reply, secrets=hidden), reply, hidden)


def _is_token_old(shown: Shown, done: Exchange) -> bool:
    """May another token change the answer?"""
    was_asked = done.reply is not None and shown.auth_type == "CLIENT_CREDENTIALS"
    return was_asked and isinstance(done.answer, Held) and done.answer.status == 401
