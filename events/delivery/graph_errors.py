"""What the Graph API's error codes blame: the token, the pixel, Meta itself, or an event; all that is known of them.

After the references "Handling errors" of the Graph API and "Error codes" of the Marketing API. What no line names is
taken for trouble that passes: to set events aside for it would set all of them aside, one by one.
"""

from __future__ import annotations

from enum import Enum


class Blame(Enum):
    """What an error says is wrong."""

    TOKEN = "the access token"  # noqa: S105  # nosec B105  # no token
    UNKNOWN_ID = "the pixel's id"
    ACCESS = "the token's permissions"
    FAULT = "a passing fault of Meta's"
    RATE = "the rate of requests"
    EVENT = "an event's content"
    TOO_LARGE = "the size of the request"
    NOTHING_KNOWN = "nothing that is known"

    @property
    def refuses(self) -> bool:
        """Is an event of the request to blame? Else all of them wait."""
        return self in (Blame.EVENT, Blame.TOO_LARGE)


#: A proxy's word, as an HTTP status: fewer events may pass.
TOO_LARGE = 413

_INVALID_PARAMETER = 100
#: Of code 100: "object does not exist, or missing permissions".
_NO_SUCH_OBJECT = 33
#: What the Conversions API says of events, as a subcode of code 100 or as the code itself.
_OF_EVENTS = range(2_804_000, 2_805_000)

#: Code 100 is looked at first, with its subcode; of these lines, the first that has the code counts.
_BLAME: tuple[tuple[frozenset[int], Blame], ...] = (
    (frozenset({102, 190}), Blame.TOKEN),
    (frozenset({803, 2500}), Blame.UNKNOWN_ID),
    # Closed to the token, or asked for in a version that is over.
    (frozenset({10, 12, *range(200, 300), 2635}), Blame.ACCESS),
    (frozenset({1, 2}), Blame.FAULT),
    (frozenset({4, 17, 32, 341, 368, 613, *range(80_000, 80_100)}), Blame.RATE),
    (frozenset(_OF_EVENTS), Blame.EVENT),
    (frozenset({TOO_LARGE}), Blame.TOO_LARGE),
)


def blame(code: int, subcode: int | None = None) -> Blame:
    """What the error blames."""
    if code == _INVALID_PARAMETER:
        return _blame_of_parameter(subcode)
    return next((blamed for codes, blamed in _BLAME if code in codes), Blame.NOTHING_KNOWN)


def _blame_of_parameter(subcode: int | None) -> Blame:
    if subcode == _NO_SUCH_OBJECT:
        return Blame.UNKNOWN_ID
    return Blame.EVENT if subcode is None or subcode in _OF_EVENTS else Blame.NOTHING_KNOWN
