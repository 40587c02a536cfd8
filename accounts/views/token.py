"""Where API accounts get, end and ask about tokens, and where their software finds out how."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.oauth import Introspection, Revocation, authorization_server, metadata
from common.http import as_django, from_django

# Exempt from Django's CSRF check: what signs in is the body or the Authorization header, never a cookie. A POST comes
# here only where Django is served without doors, as by its test client (accounts/token_door.py).


@csrf_exempt
@require_POST
def issue_token(request: HttpRequest) -> HttpResponse:
    """Exchange an API account's name and secret for an access token (RFC 6749 §4.4)."""
    return as_django(authorization_server.create_token_response(from_django(request)))


@csrf_exempt
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    """End a token of the API account (RFC 7009)."""
    return as_django(authorization_server.create_endpoint_response(Revocation.ENDPOINT_NAME, from_django(request)))


@csrf_exempt
@require_POST
def introspect_token(request: HttpRequest) -> HttpResponse:
    """Tell whether a token of the API account is valid (RFC 7662)."""
    return as_django(authorization_server.create_endpoint_response(Introspection.ENDPOINT_NAME, from_django(request)))


@csrf_exempt  # so that a POST is told that this is read by GET
@require_safe
def server_metadata(request: HttpRequest) -> HttpResponse:
    """Tell where the above is (RFC 8414)."""
    return JsonResponse(metadata())
