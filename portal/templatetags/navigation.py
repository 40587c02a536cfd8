"""The entries of the menus."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

register = template.Library()


@register.inclusion_tag("partials/nav_link.html", takes_context=True)
def nav_link(
    context: dict[str, Any], view_name: str, icon: str, text: str, *, exact: bool = False, count: str = ""
) -> dict[str, Any]:
    """An entry that leads to a page, of the account in view if there is one; marked on that page and those below.

    ``count`` stands beside it: how much there is to see to.
    """
    url = reverse(view_name)
    path, tenant = context["request"].path, context.get("tenant")
    return {
        "href": f"{url}?{urlencode({'tenant': tenant.pk})}" if tenant else url,
        "icon": icon,
        "text": text,
        "count": count,
        "active": path == url or (not exact and path.startswith(url)),
    }
