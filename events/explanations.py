"""Words for the Graph API's error codes: what an advertiser is to do (contract: "Words for Graph API errors").

The API says them in English; pages translate them.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from events.graph_api import ACCESS_CODES, PASSING_CODES, TOKEN_CODES, UNKNOWN_OBJECT

_FAULT_CODES = frozenset({1, 2})
_UNKNOWN_ID_CODES = frozenset({803, 2500})
_EVENT_CODE = 100
_TOO_LARGE = 413

_UNKNOWN_ID = _(
    "The pixel id does not exist or is not visible to this token: check both; waiting events are then sent."
)

#: The first line that has the code counts.
_WORDS: tuple[tuple[frozenset[int], str], ...] = (
    (
        TOKEN_CODES,
        _(
            "The access token is no longer valid: make a new one in Events Manager and replace it here; "
            "waiting events are then sent."
        ),
    ),
    (_UNKNOWN_ID_CODES, _UNKNOWN_ID),
    (
        ACCESS_CODES,
        _(
            "The token lacks permission for this pixel: give its system user access to the pixel; "
            "waiting events are then sent."
        ),
    ),
    (_FAULT_CODES, _("Meta has a passing fault; the gateway tries again.")),
    (PASSING_CODES, _("Meta limits the rate; the gateway waits and tries again.")),
    (
        frozenset({_EVENT_CODE}),
        _(
            "Meta refused an event's content: the message names the field; "
            "the event is set aside and can be replayed once the sender is fixed."
        ),
    ),
    (frozenset({_TOO_LARGE}), _("The event is too large to be sent; it is set aside.")),
)
_ELSE = _("Meta refused the event for another reason: see its message; the event is set aside and can be replayed.")


def explain(code: str | None) -> str:
    """What an error code, such as ``190`` or ``100.2804003``, means for the advertiser; nothing for no code."""
    if not code:
        return ""
    number, _, subcode = code.partition(".")
    if (number, subcode) == tuple(map(str, UNKNOWN_OBJECT)):
        return _UNKNOWN_ID
    return next((words for codes, words in _WORDS if _as_int(number) in codes), _ELSE)


def _as_int(text: str) -> int:
    return int(text) if text.isdecimal() else -1
