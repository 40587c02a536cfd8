"""What the views of an account's pages share."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def way_back(request: HttpRequest, url: str, fallback: str) -> str:
    """The address, if it is of an account's page here: a link in a request leads nowhere else."""
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if ours and "/hub/capig/" in url else fallback
