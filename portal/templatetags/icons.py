"""Icons, written into the page: no request, and they take the colour of the text beside them."""

from __future__ import annotations

import re
from functools import cache

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?")
_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """A Tabler icon by its name, ``{% icon "bell" %}``; ``filled/bell`` is the filled one.

    An icon beside a text says nothing of its own and is hidden from screen readers; one that stands alone needs a
    ``label``.
    """
    return format_html(
        '<svg class="icon {}" width="24" height="24" viewBox="0 0 24 24" {} {}>{}</svg>',
        css,
        _STYLE["filled" if name.startswith("filled/") else "outline"],
        format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"'),  # nosec B308  # our own text
        _paths(name),
    )


_STYLE = {
    "outline": mark_safe(  # nosec B308  # our own text
        'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    ),
    "filled": mark_safe('fill="currentColor"'),  # nosec B308  # our own text
}


@cache
def _paths(name: str) -> SafeString:
    if not _NAME.fullmatch(name):
        raise template.TemplateSyntaxError(f"{name!r} is not an icon's name.")
    file = settings.ICONS_DIR / f"{name if '/' in name else f'outline/{name}'}.svg"
    try:
        found = _BODY.search(file.read_text("utf-8"))
    except FileNotFoundError:
        raise template.TemplateSyntaxError(f"There is no icon {name!r} in {settings.ICONS_DIR}.") from None
    return mark_safe("" if found is None else " ".join(found[1].split()))  # noqa: S308  # nosec B308, B703  # from our own package
