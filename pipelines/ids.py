"""The reference's ids of pipelines and destinations: a prefix and a UUID.

Those of a Meta Pixel hold the digits of its id, so that nothing has to be stored for it.
"""

from __future__ import annotations

from uuid import UUID

from pixels.validation import is_pixel_id

PIPELINE = "sg_v1_pl_"
DESTINATION = "sg_v1_dd_"

#: A UUID has 32 digits, two of which tell of its layout: version 8 is the application's own, and 8 its variant.
_FREE_DIGITS = 30
_UNUSED = "f"


def id_of_pixel(prefix: str, pixel_id: str) -> str:
    """The id of the pixel's pipeline, or destination."""
    free = pixel_id.rjust(_FREE_DIGITS, _UNUSED)
    return f"{prefix}{free[:8]}-{free[8:12]}-8{free[12:15]}-8{free[15:18]}-{free[18:]}"


def read_id(prefix: str, id: str) -> UUID | str | None:
    """The UUID of a row, or the id of the pixel that is meant; None where it is neither."""
    if not id.startswith(prefix):
        return None
    text = id.removeprefix(prefix)
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    if str(uuid) != text:  # one spelling alone is the id
        return None
    digits = uuid.hex
    pixel_id = (digits[:12] + digits[13:16] + digits[17:]).lstrip(_UNUSED)
    is_pixels = is_pixel_id(pixel_id) and id_of_pixel(prefix, pixel_id) == id
    return pixel_id if is_pixels else uuid


def id_of(prefix: str, uuid: UUID | str) -> str:
    """The id of a row."""
    return f"{prefix}{uuid}"
