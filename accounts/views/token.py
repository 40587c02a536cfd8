"""Where API accounts get, end and ask about tokens, and where their software finds out how."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.oauth import Introspection, Revocation, authorization_server, metadata

# Exempt from Django's CSRF check: what signs in is the body or the Authorization header, never a cookie.


@csrf_exempt
@require_POST
def issue_token(request: HttpRequest) -> HttpResponse:
    """Exchange an API account's name and secret for an access token (RFC 6749 §4.4)."""
    return authorization_server.create_token_response(request)


@csrf_exempt
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    """End a token of the API account (RFC 7009)."""
    return authorization_server.create_endpoint_response(Revocation.ENDPOINT_NAME, request)


@csrf_exempt
@require_POST
def introspect_token(request: HttpRequest) -> HttpResponse:
    """Tell whether a token of the API account is valid (RFC 7662)."""
    return authorization_server.create_endpoint_response(Introspection.ENDPOINT_NAME, request)


@csrf_exempt  # so that a POST is told that this is read by GET
@require_safe
def server_metadata(request: HttpRequest) -> HttpResponse:
    """Tell where the above is (RFC 8414)."""
    return JsonResponse(metadata())
