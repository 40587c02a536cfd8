"""Words for what Meta says to registering: what somebody is to do.

The API says them in English; pages translate them.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from events.delivery.explanations import NO_ANSWER
from events.delivery.graph_errors import Blame, blame
from events.models import Attempt
from events.registration.telling import TAKEN_CODE

TAKEN = _(
    "Another gateway is registered with Meta for this pixel, and browsers post to it. It stays until somebody "
    "registers this one in its place."
)
_WORDS: dict[Blame, str] = {
    Blame.TOKEN: _(
        "The access token is no longer valid: make a new one in Events Manager and give it to the pixel; "
        "Meta is then asked again."
    ),
    Blame.UNKNOWN_ID: _(
        "Meta knows no such pixel or business, or does not show it to this token: check both ids and the token, "
        "then try again."
    ),
    Blame.ACCESS: _(
        "The token may not register a gateway: give its system user access to the business and the pixel, with the "
        "permission business_management, then try again. It is not known whether Meta lets gateways like this one "
        "register."
    ),
    Blame.FAULT: _("Meta has a passing fault; the gateway tries again."),
    Blame.RATE: _("Meta limits the rate; the gateway waits and tries again."),
}
#: Of every other refusal.
_REFUSED = _("Meta does not take what it was told: see its message, then try again.")


def explain_attempt(attempt: Attempt) -> str:
    """What Meta's last words mean; nothing where all is well."""
    if attempt.silence:
        return NO_ANSWER
    if not attempt.code:
        return ""
    if attempt.code == TAKEN_CODE:
        return TAKEN
    code, _dot, subcode = attempt.code.partition(".")
    blamed = blame(int(code), int(subcode) if subcode else None) if code.lstrip("-").isdecimal() else None
    return _WORDS.get(blamed, _REFUSED) if blamed else _REFUSED
