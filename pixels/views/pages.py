"""What the views of an account's pages share."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.web import is_own_address


def way_back(request: HttpRequest, url: str, fallback: str) -> str:
    """The address, if it is of an account's page here: a link in a request leads nowhere else."""
    return url if is_own_address(url) and "/hub/capig/" in url else fallback
