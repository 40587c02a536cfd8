"""The accounts of the demo: who works there, which pixels they have and what happens on their websites."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from events.models import Road


class Story(Enum):
    """What is special about a pixel."""

    FINE = auto()
    REJECTED_TOKEN = auto()
    PUBLISHING_OFF = auto()
    RECEIVING_OFF = auto()
    DEAD_LETTER = auto()


#: Event names and how often they come, in relation to each other.
Mix = dict[str, int]

SHOP: Mix = {
    "PageView": 520,
    "ViewContent": 240,
    "ScrollDepth": 90,
    "AddToCart": 70,
    "InitiateCheckout": 28,
    "AddPaymentInfo": 18,
    "Purchase": 14,
    "Search": 20,
}
STORE: Mix = {"Purchase": 90, "Lead": 10}
READERS: Mix = {"PageView": 700, "ViewContent": 220, "Subscribe": 12, "Lead": 25, "CompleteRegistration": 15}


#: What a shop's server sends, too, mostly under the id that the visitor's browser gives it.
SERVED = frozenset(
    {
        *("ViewContent", "AddToCart", "InitiateCheckout", "AddPaymentInfo", "Purchase"),
        *("Subscribe", "Lead", "CompleteRegistration"),
    }
)


@dataclass(frozen=True, slots=True)
class DemoPixel:
    """A pixel, what happens on its busiest day, and its websites; none where it counts purchases at the till."""

    pixel_id: str
    name: str
    events_a_day: int
    mix: Mix
    websites: dict[str, int] = field(default_factory=dict)
    story: Story = Story.FINE
    #: Does the Meta Pixel on its websites send each event to the gateway, too? Else their server sends all.
    mirrored: bool = True
    #: Does its server give an event the id that the browser gives it? Else Meta counts both.
    shares_ids: bool = True
    #: Does the intake refuse some of what its server sends?
    is_refused: bool = False

    def roads(self, name: str) -> tuple[Road, ...]:
        """By which an event of the name comes."""
        if not (self.websites and self.mirrored):
            return (Road.SERVER,)
        return (Road.BROWSER, Road.SERVER) if name in SERVED else (Road.BROWSER,)


@dataclass(frozen=True, slots=True)
class DemoFilter:
    """A filter that drops an event name or a website: on one pixel, or on all of the account's."""

    pixel_id: str | None = None
    event_name: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class DemoPipeline:
    """A website's own pixel, whose events go to Meta and to a warehouse."""

    name: str
    website: str
    source_id: str
    data_set_id: str
    #: An address that nobody has.
    warehouse: str
    kept_from_warehouse: tuple[str, ...]
    events_a_day: int


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account, its people by email and role, and what it has."""

    name: str
    managed: bool
    enrichment: bool
    people: dict[str, str]
    pixels: tuple[DemoPixel, ...]
    filters: tuple[DemoFilter, ...]
    pipelines: tuple[DemoPipeline, ...] = ()


ACCOUNTS = (
    DemoAccount(
        name="Northwind Shoes",
        managed=True,
        enrichment=True,
        people={"nora@northwind.example.com": "admin", "nils@northwind.example.com": "view"},
        pixels=(
            DemoPixel(
                "990000000000001",
                "Web shop Europe",
                1_500,
                SHOP,
                {"shop.northwind.example.com": 85, "www.northwind.example.com": 12, "staging.northwind.example.com": 3},
            ),
            DemoPixel(
                "990000000000002",
                "Web shop USA",
                900,
                SHOP,
                {"us.northwind.example.com": 95, "staging.northwind.example.com": 5},
                Story.DEAD_LETTER,
                is_refused=True,
            ),
            DemoPixel("990000000000003", "Stores", 240, STORE),
            DemoPixel(
                "990000000000004", "Outlet", 300, SHOP, {"outlet.northwind.example.com": 1}, Story.REJECTED_TOKEN
            ),
        ),
        filters=(DemoFilter(event_name="ScrollDepth"), DemoFilter(domain="staging.northwind.example.com")),
        pipelines=(
            DemoPipeline(
                name="Northwind Kids",
                website="kids.northwind.example.com",
                source_id="9900000000000000101",
                data_set_id="990000000000011",
                warehouse="https://warehouse.northwind.example.com/events",
                kept_from_warehouse=("PageView", "ViewContent"),
                events_a_day=600,
            ),
        ),
    ),
    DemoAccount(
        name="Harbour Books",
        managed=True,
        enrichment=False,
        people={"hugo@harbour-books.example.org": "admin", "hedda@harbour-books.example.org": "manage"},
        pixels=(
            DemoPixel(
                "990000000000005", "Book shop", 700, SHOP, {"www.harbour-books.example.org": 1}, shares_ids=False
            ),
            DemoPixel(
                "990000000000006",
                "Magazine",
                500,
                READERS,
                {"magazine.harbour-books.example.org": 9, "blog.harbour-books.example.org": 1},
                Story.PUBLISHING_OFF,
            ),
            DemoPixel(
                "990000000000007",
                "Readings",
                120,
                READERS,
                {"readings.harbour-books.example.org": 1},
                Story.RECEIVING_OFF,
            ),
        ),
        filters=(DemoFilter(event_name="PageView", pixel_id="990000000000005"),),
    ),
    DemoAccount(
        name="Lumen Cosmetics",
        managed=False,
        enrichment=True,
        people={"lena@lumen.example.net": "admin", "luis@lumen.example.net": "view"},
        pixels=(
            DemoPixel("990000000000008", "Web shop", 1_100, SHOP, {"www.lumen.example.net": 1}),
            DemoPixel("990000000000009", "App", 400, {"ViewContent": 60, "AddToCart": 20, "Purchase": 6}),
            DemoPixel("990000000000010", "Newsletter", 150, READERS, {"news.lumen.example.net": 1}, mirrored=False),
        ),
        filters=(DemoFilter(event_name="Search"),),
    ),
)
PIXEL_IDS = [pixel.pixel_id for account in ACCOUNTS for pixel in account.pixels]
