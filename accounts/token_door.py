"""The door for API accounts that get, end and ask about tokens. What is no such request is left to Django."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.core.exceptions import DisallowedHost
from django.utils import translation

from accounts.oauth import Introspection, Revocation, authorization_server
from common.http import Request, Response, check_host
from common.postgresql import close_if_cut_off

logger = logging.getLogger(__name__)

#: Who answers a POST, by its path.
ENDPOINTS: dict[str, Callable[[Request], Response]] = {
    "/clients/token": authorization_server.create_token_response,
    "/clients/revoke": partial(authorization_server.create_endpoint_response, Revocation.ENDPOINT_NAME),
    "/clients/introspect": partial(authorization_server.create_endpoint_response, Introspection.ENDPOINT_NAME),
}


def answer(request: Request) -> Response | None:
    """Answer a request about a token; None for other paths, methods and hosts, of which Django tells."""
    endpoint = ENDPOINTS.get(request.path)
    if endpoint is None or request.method != "POST":
        return None
    try:
        check_host(request)
    except DisallowedHost:
        return None
    translation.deactivate()  # a page before it may have left its language to this thread
    close_if_cut_off()
    response = endpoint(request)
    if response.status >= 400:
        logger.warning("%s was refused", request.path, extra={"status_code": response.status})
    return response
