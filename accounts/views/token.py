"""POST /clients/token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.oauth import authorization_server


@csrf_exempt  # Authenticates by what the body or the Authorization header says, never by a cookie.
@require_POST
def issue_token(request: HttpRequest) -> HttpResponse:
    """Exchange an API account's name and secret for an access token (RFC 6749 §4.4)."""
    return authorization_server.create_token_response(request)
