"""What a shop's page tells the script of: for the portal's trials of it."""

from __future__ import annotations

from typing import Any

_SHOES = {"content_ids": ["shoes-42"], "content_type": "product", "value": 89.9, "currency": "EUR"}
#: By name, the data of each event.
PAGE_EVENTS: dict[str, dict[str, Any]] = {
    "PageView": {},
    "ViewContent": _SHOES,
    "AddToCart": _SHOES,
    "InitiateCheckout": {**_SHOES, "num_items": 1},
    "Purchase": {**_SHOES, "num_items": 1},
    "Lead": {},
}
#: What it says of the visitor at ``init``.
PAGE_VISITOR = {"em": "ada@example.com", "external_id": "customer-7"}
