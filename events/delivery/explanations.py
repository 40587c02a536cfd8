"""Words for the Graph API's error codes: what an advertiser is to do (contract: "Words for Graph API errors").

The API says them in English; pages translate them.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from events.delivery.graph_errors import Blame, blame

#: Stands in a dead letter where Meta's code would: the gateway could not read the event.
UNREADABLE_CODE = "unreadable"

_WORDS: dict[Blame, str] = {
    Blame.TOKEN: _(
        "The access token is no longer valid: make a new one in Events Manager and give it to the pixel; "
        "waiting events are then sent."
    ),
    Blame.UNKNOWN_ID: _(
        "The pixel id does not exist or is not visible to this token: check both; waiting events are then sent."
    ),
    Blame.ACCESS: _(
        "The token lacks permission for this pixel: give its system user access to the pixel; "
        "waiting events are then sent."
    ),
    Blame.FAULT: _("Meta has a passing fault; the gateway tries again."),
    Blame.RATE: _("Meta limits the rate; the gateway waits and tries again."),
    Blame.EVENT: _(
        "Meta refused an event's content: the message names the field. Fix the sender; this event is set aside "
        "as it is, and sending it again helps only where a rule or setting of Meta's was the cause."
    ),
    Blame.TOO_LARGE: _("The event is too large to be sent; it is set aside."),
    Blame.NOTHING_KNOWN: _(
        "Meta answers with an error that blames no event: see its message; the gateway tries again for 7 days."
    ),
}
#: What keeps events where Meta sends no error at all: time-outs, closed connections, the words of proxies.
NO_ANSWER = _("Meta does not answer; the gateway tries again.")
#: Of an event that the gateway has set aside itself.
UNREADABLE = _("The gateway cannot read what it has stored; the event is set aside.")


def explain(code: str | None) -> str:
    """What an error code, such as ``190`` or ``100.2804003``, means for the advertiser; nothing for no code."""
    if not code:
        return ""
    if code == UNREADABLE_CODE:
        return UNREADABLE
    number, _, subcode = code.partition(".")
    return _WORDS[blame(_as_int(number), _as_int(subcode) if subcode else None)]


def explain_wait(code: str | None, silence: str) -> str:
    """What a pixel's events wait for: Meta's last error, unless Meta has not answered since (``Lane.silence``)."""
    return NO_ANSWER if silence else explain(code)


def _as_int(text: str) -> int:
    return int(text) if text.isdecimal() else -1
