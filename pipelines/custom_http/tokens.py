"""Tokens by client credentials (RFC 6749, section 4.4): fetched once, kept until they end, in each process."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import NamedTuple

import msgspec
from cachetools import TLRUCache

from common.public_http import Reply, ask
from pipelines.custom_http.answers import Accepted, Answer, Held, Wait
from pipelines.custom_http.configuration import ClientCredentialsAuth
from pipelines.custom_http.judging import judge, timeout
from pipelines.custom_http.requests import USER_AGENT, parameters, with_query

TOKEN_MAX_LENGTH = 16_384
#: Where the server does not say how long a token is good for.
_USUAL_SECONDS = 300.0
#: A token is renewed this long before it ends.
_SPARE_SECONDS = 30.0
_KEPT = 1_000


class _Token(NamedTuple):
    text: str
    ends_at: float


_tokens: TLRUCache[bytes, _Token] = TLRUCache(_KEPT, ttu=lambda _, token, __: token.ends_at, timer=time.monotonic)
_lock = threading.Lock()


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float | None = None


def fetched_token(auth: ClientCredentialsAuth, secret: str, *, is_renewed: bool = False) -> str | Wait | Held:
    """The token that is kept, or a new one; ``is_renewed`` asks for a new one in any case."""
    key = hashlib.sha256(json.dumps([*msgspec.structs.astuple(auth), secret]).encode()).digest()
    with _lock:
        if is_renewed:
            _tokens.pop(key, None)
        elif kept := _tokens.get(key):
            return kept.text
    granted = _fetch(auth, secret)
    if isinstance(granted, _Token):
        with _lock:
            _tokens[key] = granted
        return granted.text
    return granted


def forget_tokens() -> None:
    """Of this process; for tests."""
    with _lock:
        _tokens.clear()


def _fetch(auth: ClientCredentialsAuth, secret: str) -> _Token | Wait | Held:
    form = {"grant_type": "client_credentials", "client_id": auth.client_id, "client_secret": secret}
    headers, body = {"User-Agent": USER_AGENT, "Accept": "application/json"}, None
    if auth.http_method == "GET":
        url = with_query(auth.auth_endpoint, parameters(form))
    else:
        url, body = with_query(auth.auth_endpoint, ""), parameters(form).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    reply = ask(auth.http_method, url, headers, body, seconds=timeout())
    answer = judge(reply, secrets=(secret,))
    if isinstance(answer, Accepted) and isinstance(reply, Reply):
        return _read(reply.body) or Held("authEndpoint: the answer holds no access_token.", reply.status)
    return _told(answer)


def _read(body: bytes) -> _Token | None:
    try:
        granted = msgspec.json.decode(body, type=_Granted, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    text = granted.access_token
    if not (0 < len(text) <= TOKEN_MAX_LENGTH and text.isascii() and text.isprintable()):
        return None
    seconds = _USUAL_SECONDS if granted.expires_in is None else max(0.0, granted.expires_in)
    return _Token(text, time.monotonic() + max(seconds - _SPARE_SECONDS, seconds / 2))


def _told(answer: Answer) -> Wait | Held:
    """An answer that is no token. Whatever it refuses, it is the credentials."""
    if isinstance(answer, Wait):
        return Wait(f"authEndpoint: {answer.words}", answer.status, answer.retry_after)
    words = "" if isinstance(answer, Accepted) else answer.words
    return Held(f"authEndpoint: {words}", answer.status)
