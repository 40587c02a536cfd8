"""The door for software that asks GraphQL with a token, beside Django.

Django's own way to the view and back, with middleware, signals and responses, took longer than the view itself. The
database connection stays open for the next request (common/lending.py).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIRequest
from django.utils import translation

from common.answers import Answer
from common.postgresql import close_if_cut_off
from portal.graphql.capig import schema as capig_schema
from portal.graphql.hub import schema as hub_schema
from portal.graphql.view import reply_to

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

_SCHEMAS = {"/hub/graphql": hub_schema.graphql_schema, "/capig/graphql": capig_schema.graphql_schema}
#: A browser's own. Software that sends these passes through Django.
_BROWSERS = frozenset({"HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE"})


def answer(environ: WSGIEnvironment) -> Answer | None:
    """Answer a request that ``is_machine`` knows; None for others, which are Django's."""
    if not is_machine(environ):
        return None
    translation.deactivate()  # a page before it may have left its language to this thread
    close_if_cut_off()
    path = environ["PATH_INFO"]
    status, headers, body = reply_to(WSGIRequest(environ), _SCHEMAS[path.rstrip("/")])
    if status >= 400:
        logger.warning("%s was refused", path, extra={"status_code": status})
    return Answer(status, list(headers.items()), body)


def is_machine(environ: WSGIEnvironment) -> bool:
    """Does the request ask GraphQL with a token, and with nothing that is a browser's?"""
    return (
        environ["PATH_INFO"].rstrip("/") in _SCHEMAS
        and environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
        and _BROWSERS.isdisjoint(environ)
    )
