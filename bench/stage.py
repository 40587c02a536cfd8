"""What the benchmarks share: a pixel, bodies of events, processes, and a table."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from accounts.principals import OPERATOR
from accounts.services.tenants import create_tenant
from bench import servers
from events.models import OutboxRow
from pixels.models import Pixel
from pixels.services import connect_pixel
from tests.instance import Instance, free_port

PIXEL_ID = "990000000000001"


def body_of(count: int) -> bytes:
    """A request of so many events, as a shop sends them: identifiers hashed, ids of its own, nothing unusable."""
    return orjson.dumps({"data": [event(number) for number in range(1, count + 1)]})


def event(number: int) -> dict[str, Any]:
    """A website's event, of about 700 bytes."""
    return {
        "event_name": ("PageView", "ViewContent", "AddToCart", "Purchase")[number % 4],
        "event_time": int(time.time()),
        "event_id": f"order-{number:012d}",
        "action_source": "website",
        "event_source_url": f"https://shop.example.com/products/{number % 100}?utm_source=newsletter",
        "user_data": {
            "em": [f"{number:064x}"],
            "ph": [f"{number + 1:064x}"],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "fbp": f"fb.1.1760000000000.{number}",
        },
        "custom_data": {"currency": "EUR", "value": 89.9, "content_ids": ["shoe-1", "shoe-2"], "num_items": 2},
    }


def make_pixel(pixel_id: str = PIXEL_ID) -> Pixel:
    """A pixel in an account of its own, without enrichment; it may be there already."""
    if there := Pixel.objects.filter(pixel_id=pixel_id).first():
        return there
    tenant = create_tenant(
        principal=OPERATOR, name=f"Bench {pixel_id}", can_partner_manage=True, event_enrichment=False
    ).tenant
    return connect_pixel(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pixel_id=pixel_id,
        business_id="2840127409433732",
        access_token="bench",  # noqa: S106  # of nothing
        external_id="",
    )


@contextmanager
def sink() -> Iterator[str]:
    """The address of an events edge that takes everything."""
    port = free_port()
    with servers.process([sys.executable, "-m", "bench.sink", str(port)], {}) as started:
        yield servers.when_up(started, port)


def wait_until_drained(instance: Instance, *, seconds: float = 300) -> float:
    """Wait until no event waits; how long that took."""
    start = time.monotonic()
    while OutboxRow.objects.exists():
        if not instance.is_running("worker") or time.monotonic() - start > seconds:
            raise TimeoutError(instance.log("worker"))
        time.sleep(0.1)
    return time.monotonic() - start


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that is Markdown, too."""
    texts = [[_text(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    print(f"\n{title}\n")
    for number, row in enumerate(texts):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print(f"| {' | '.join(cells)} |")
        if number == 0:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    sys.stdout.flush()


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
