"""Which of a pixel's event ids are remembered, and as what (docs/decisions/0024-the-store.md).

Names are in classes, and of each class one in ``2 ** level`` ids is remembered. Which one is told by the id alone: so
it is remembered of both roads or of neither, and whatever is counted of it counts ``2 ** level`` times.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

#: Meta's standard events of which nobody pays. There are many of these, and they are of no order.
UNPAID_EVENTS = (
    *("PageView", "ViewContent", "Search", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo"),
    *("Lead", "CompleteRegistration", "Contact", "CustomizeProduct", "FindLocation", "Schedule", "SubmitApplication"),
)
#: Standard events have a class each: a flood of one makes the figures of no other less exact.
STANDARD_EVENTS = (*UNPAID_EVENTS, "Purchase", "Subscribe", "StartTrial", "Donate")
CLASSES = 64

#: A digest has 63 bits: 6 are the class, 41 are of BLAKE2b, and 16 of the id's CRC-32 tell whether it is in the sample.
_CLASS_AT = 57
_SAMPLE_BITS = 16
MAX_LEVEL = _SAMPLE_BITS

#: The level by class, as JSON has it; without those whose ids are all remembered.
Levels = dict[str, int]


@lru_cache(maxsize=1024)
def class_of(name: str) -> int:
    """The class of an event name: its own where it is a standard event's, else one that is shared."""
    if name in STANDARD_EVENTS:
        return STANDARD_EVENTS.index(name)
    return len(STANDARD_EVENTS) + crc32(name.encode()) % (CLASSES - len(STANDARD_EVENTS))


def level_of(levels: Levels, name: str) -> int:
    """The level of the name's class."""
    return levels.get(str(class_of(name)), 0)


class Masks(dict[str, int]):
    """By event name: the bits of an id's CRC-32 that are nought where the id is in the sample."""

    def __init__(self, levels: Levels) -> None:
        super().__init__()
        self._levels = levels

    def __missing__(self, name: str) -> int:
        self[name] = mask = (1 << level_of(self._levels, name)) - 1
        return mask


def digest_of(name: str, event_id: str) -> int:
    """What is remembered of an id; its lowest bits are those of ``Masks``."""
    digest = int.from_bytes(blake2b(f"{name}\0{event_id}".encode(), digest_size=8).digest())
    return class_of(name) << _CLASS_AT | digest >> 23 << _SAMPLE_BITS | crc32(event_id.encode()) & 0xFFFF


def class_in(digest: int) -> int:
    """The class that the digest is of."""
    return digest >> _CLASS_AT


def is_unpaid(class_: int) -> bool:
    """Is it the class of an event of which nobody pays?"""
    return class_ < len(UNPAID_EVENTS)


def digests_of(class_: int) -> tuple[int, int]:
    """The least and the greatest digest of the class."""
    return class_ << _CLASS_AT, (class_ + 1 << _CLASS_AT) - 1
