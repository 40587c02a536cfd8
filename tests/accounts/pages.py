"""What the tests of pages share."""

from __future__ import annotations

import html
import re
from typing import Any

from django.utils.http import urlencode

from accounts.models import Tenant


def of(tenant: Tenant, page: str, /, **query: str) -> str:
    """The address of an account's page."""
    return f"/hub/capig/{page}?{urlencode({'tenant': tenant.pk, **query})}"


def words(response: Any) -> str:
    """What the page says between its header and its end, in one line."""
    source = response.content.decode()
    body = source[source.index('<div class="page-header') :] if '<div class="page-header' in source else source
    text = re.sub(r"<(script|style|svg).*?</\1>|<[^>]*>", " ", body, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def link_in(response: Any) -> str:
    """The invitation link that the page shows to copy."""
    found = re.search(r'value="([^"]*/auth/verify/[^"]*)"', response.content.decode())
    assert found, words(response)
    return html.unescape(found[1])
