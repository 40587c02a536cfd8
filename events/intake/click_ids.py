"""Meta's click id (``fbc``), made from the ``fbclid`` of a page's address.

The form is Meta's ("ClickID and the fbp and fbc Parameters"): the time, in milliseconds, is when the click id was first
seen.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from events.intake.identifiers import is_nothing

_CLICK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def click_id_in(url: Any, seconds: float) -> str | None:
    """The click id of a visit to this address at that time; None where it names none that Meta can use."""
    if not isinstance(url, str) or "fbclid=" not in url:
        return None
    try:
        value = parse_qs(urlsplit(url).query).get("fbclid", [""])[0]
    except ValueError:
        return None
    if is_nothing(value) or not _CLICK_ID.fullmatch(value):
        return None
    return f"fb.1.{int(seconds) * 1000}.{value}"
