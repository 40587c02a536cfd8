"""For which rule a request with events was refused, in a word that is stored: of these there are few, whatever is sent.

Senders are told by the refusal itself, in English. People are told by the words here, in their language.
"""

from __future__ import annotations

import re

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from common.errors import InvalidInput, PortalError, TooManyRequests, UnsupportedEncoding
from events.intake.options import OPTION_NAMES


class Rule(TextChoices):
    """What a request has broken. The codes stand in the database: they never change."""

    BODY_NO_JSON = "body_no_json", _("The body is no valid JSON in UTF-8.")
    BODY_NO_OBJECT = "body_no_object", _("The body is neither a JSON object with a list of events nor a form.")
    BODY_NO_EVENT = "body_no_event", _("The body is no event of the Meta Pixel.")
    BODY_TOO_DEEP = "body_too_deep", _("It is nested too deeply, or holds an integer beyond 64 bits.")
    BODY_TWO_KEYS = "body_two_keys", _("An object has a key twice.")
    BODY_NUL = "body_nul", _("It contains NUL characters.")
    BODY_HALF_CHARACTER = "body_half_character", _("It holds half a character, as where a text was cut.")
    BODY_NO_LENGTH = "body_no_length", _("A form came without its Content-Length.")
    BODY_DAMAGED = "body_damaged", _("The packed body is damaged, or goes on behind its end.")
    BODY_TOO_LONG = "body_too_long", _("The body is too long: send the events in several requests.")
    BODY_CUT_OFF = "body_cut_off", _("The body did not arrive whole.")
    ENCODING = "encoding", _("The body is packed in a way that is not read here: send gzip, deflate or none.")
    NO_LIST = "no_list", _("There is no list of events.")
    NUMBER_OF_EVENTS = "number_of_events", _("There are no events in it, or too many for one request.")
    TOO_MANY_IDENTIFIERS = "too_many_identifiers", _("It holds too many identifiers that are not hashed.")
    NO_OBJECT = "no_object", _("The event is no object.")
    NOBODY = "nobody", _("It says nothing of the customer that can be used.")
    LENGTH = "length", _("It is missing, no text, or too long.")
    CONTROL_CHARACTERS = "control_characters", _("It contains control characters.")
    TIME_NO_NUMBER = "time_no_number", _("It is no whole number: send the seconds since 1970.")
    TIME_MILLISECONDS = "time_milliseconds", _("It is in milliseconds: send seconds.")
    TIME_TOO_OLD = "time_too_old", _("It is more than 7 days ago: Meta takes no older events.")
    TIME_AHEAD = "time_ahead", _("It is more than 10 minutes ahead: look at the sender's clock.")
    NO_CHOICE = "no_choice", _("It is none of the words that Meta knows here.")
    NO_PAGE = "no_page", _("It is no http or https address, which an event of a website needs.")
    NO_USER_AGENT = "no_user_agent", _("It is missing, and an event of a website needs it.")
    OPTION = "option", _("It is too long, or no text without control characters.")
    RATE_LIMIT = "rate_limit", _("The pixel has reached its limit of requests: put several events into one request.")
    KEY_MISSING = "key_missing", _("The access key is missing, and this pixel asks for it.")
    KEY_WRONG = "key_wrong", _("The access key is wrong.")
    OTHER = "other", _("It breaks another rule.")


#: What senders are told, by the rule that it is about. A test looks that none is missing.
_SAID = {
    "must be valid JSON in UTF-8: {error}.": Rule.BODY_NO_JSON,
    'must be a JSON object such as {"data": [event, …]}.': Rule.BODY_NO_OBJECT,
    "must be a JSON object, or a form in UTF-8.": Rule.BODY_NO_OBJECT,
    "must be an event of the Meta Pixel: a JSON object with event_name and fb.pixel_id.": Rule.BODY_NO_EVENT,
    "must be a pixel's id.": Rule.BODY_NO_EVENT,
    "is nested too deeply, or holds an integer beyond 64 bits.": Rule.BODY_TOO_DEEP,
    "is nested too deeply.": Rule.BODY_TOO_DEEP,
    "must not have a key twice in one object.": Rule.BODY_TWO_KEYS,
    "must not contain NUL characters.": Rule.BODY_NUL,
    "must be whole characters in UTF-8; half of one stands here, as where a text was cut.": Rule.BODY_HALF_CHARACTER,
    "must come with its Content-Length if it is a form; in chunks, send JSON.": Rule.BODY_NO_LENGTH,
    "is no {encoding}, or is damaged.": Rule.BODY_DAMAGED,
    "has more behind the end of its {encoding}.": Rule.BODY_DAMAGED,
    "must have at most {limit:,} bytes.": Rule.BODY_TOO_LONG,
    "did not arrive whole.": Rule.BODY_CUT_OFF,
    "is required: a list of events.": Rule.NO_LIST,
    "must be a list of events.": Rule.NO_LIST,
    "must hold 1 to {limit:,} events.": Rule.NUMBER_OF_EVENTS,
    "holds {count:,} short identifiers that are not hashed: send at most {limit:,} in a request.": (
        Rule.TOO_MANY_IDENTIFIERS
    ),
    "must be an object.": Rule.NO_OBJECT,
    "must be an object that says something of the customer.": Rule.NOBODY,
    "must hold a value that can be hashed, or another of Meta's parameters.": Rule.NOBODY,
    "must be a text of 1 to {limit} characters.": Rule.LENGTH,
    "must not contain control characters.": Rule.CONTROL_CHARACTERS,
    "must be a whole number: the seconds since 1970.": Rule.TIME_NO_NUMBER,
    "must be in seconds; this value is in milliseconds.": Rule.TIME_MILLISECONDS,
    "must be at most 7 days ago.": Rule.TIME_TOO_OLD,
    "must be at most 10 minutes ahead.": Rule.TIME_AHEAD,
    "must be one of {choices}.": Rule.NO_CHOICE,
    "must be an http or https address, which an event of a website needs.": Rule.NO_PAGE,
    "must be a text, which an event of a website needs.": Rule.NO_USER_AGENT,
    "must be shorter.": Rule.OPTION,
    "must be a text without control characters.": Rule.OPTION,
    "accessKey: this pixel asks its senders for its access key.": Rule.KEY_MISSING,
    "accessKey: this is not the pixel's access key.": Rule.KEY_WRONG,
}
#: A text in an object's key is told of so (events.unreadable).
_OF_KEY = "has a key that "

#: Fields that are named; of what stands within or beside them, this tells where.
_FIELDS = frozenset(
    {
        *("event_name", "event_time", "event_id", "action_source", "event_source_url", "custom_data", "app_data"),
        *("user_data", "user_data.client_user_agent", "data", *OPTION_NAMES),
    }
)
EVENT, BODY = "event", "body"
_event = re.compile(r"data\[\d+\]\.?")
_indices = re.compile(r"\[\d+\]")


def rule_of(error: PortalError) -> Rule:
    """The rule that the request has broken."""
    if isinstance(error, TooManyRequests):
        return Rule.RATE_LIMIT
    if isinstance(error, UnsupportedEncoding):
        return Rule.ENCODING
    said = error.rule if isinstance(error, InvalidInput) else error.text
    return _SAID.get(said.removeprefix(_OF_KEY), Rule.OTHER)


def field_of(error: PortalError, rule: Rule) -> str:
    """The field that it is about, as far as its name is the API's: senders may give fields any names."""
    if rule in (Rule.KEY_MISSING, Rule.KEY_WRONG):
        return "accessKey"
    if rule is Rule.RATE_LIMIT:
        return "request"
    path = error.field or ""
    whole = EVENT if _event.match(path) else BODY
    return _known_part(_event.sub("", path, count=1)) or whole


def _known_part(path: str) -> str:
    """The longest beginning of the path that has a name."""
    steps = _indices.sub("", path).split(".")
    beginnings = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next(filter(_FIELDS.__contains__, beginnings), "")


def explain(reason: str) -> str:
    """The rule in words; a code that this version does not know is shown as it is."""
    return str(Rule(reason).label) if reason in Rule.values else reason
