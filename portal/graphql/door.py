"""The door for software that asks GraphQL with a token, beside Django.

Django's own way to the view and back, with middleware, signals and responses, took longer than the view itself. The
database connection stays open for the next request (common/lending.py).
"""

from __future__ import annotations

import logging

from django.utils import translation

from common.http import Request, Response
from common.postgresql import close_if_cut_off
from portal.graphql.capig import schema as capig_schema
from portal.graphql.hub import schema as hub_schema
from portal.graphql.view import respond

logger = logging.getLogger(__name__)

_SCHEMAS = {"/hub/graphql": hub_schema.graphql_schema, "/capig/graphql": capig_schema.graphql_schema}
#: A browser's own. Software that sends these passes through Django.
_BROWSERS = ("cookie", "accept-language")


def answer(request: Request) -> Response | None:
    """Answer a request that ``is_from_software`` knows; None for others, which are Django's."""
    if not is_from_software(request):
        return None
    translation.deactivate()  # a page before it may have left its language to this thread
    close_if_cut_off()
    response = respond(request, _SCHEMAS[request.path])
    if response.status >= 400:
        logger.warning("%s was refused", request.path, extra={"status_code": response.status})
    return response


def is_from_software(request: Request) -> bool:
    """Does the request ask GraphQL with a token, and with nothing that is a browser's?"""
    headers = request.headers
    return (
        request.path in _SCHEMAS
        and headers.get("authorization", "")[:7].lower() == "bearer "
        and not any(name in headers for name in _BROWSERS)
    )
