"""What an event was stored without, and why: a value that Meta cannot use costs nobody an event."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Reason(TextChoices):
    """Why a value was left out. The codes stand in the database: they never change."""

    NOTHING = "nothing", _("It holds nothing: it is a placeholder such as “undefined”, or the hash of one.")
    OTHER_HASH = "other_hash", _("It is an MD5 or another hash that Meta cannot match: send a SHA-256, or plain text.")
    NO_TEXT = "no_text", _("It is neither a text nor a list of texts.")
    TOO_LONG = "too_long", _("It is too long.")
    TOO_MANY = "too_many", _("There are too many values: the others were kept.")
    NO_EMAIL = "no_email", _("It is no e-mail address.")
    NO_PHONE = "no_phone", _("It is no telephone number.")
    NO_NAME = "no_name", _("It is no name.")
    NO_CITY = "no_city", _("It is no city.")
    NO_STATE = "no_state", _("It is no state or province.")
    NO_POSTAL_CODE = "no_postal_code", _("It is no postal code.")
    NO_COUNTRY = "no_country", _("It is no country: send the two letters of ISO 3166, such as “us”.")
    NO_GENDER = "no_gender", _("It is no gender that Meta knows: send “f” or “m”.")
    NO_DATE = "no_date", _("It is no date, or can be read in more than one way: send YYYYMMDD.")
    NO_IP_ADDRESS = "no_ip_address", _("It is no address of the internet.")
    SEVERAL_IP_ADDRESSES = "several_ip_addresses", _("It holds several internet addresses: send the visitor's alone.")
    NO_CLICK_ID = "no_click_id", _("It holds no click id: the form is fb.1.<milliseconds>.<fbclid>.")
    NO_BROWSER_ID = "no_browser_id", _("It is no browser id: the form is fb.1.<milliseconds>.<number>.")
    NO_SINGLE_TEXT = "no_single_text", _("It is no text.")
    NO_NUMBER = "no_number", _("It is no number: send digits, with a point before the decimals.")
    NO_WHOLE_NUMBER = "no_whole_number", _("It is no whole number.")
    NEGATIVE = "negative", _("It is below zero.")
    NO_CURRENCY = "no_currency", _("It is no currency: send the three letters of ISO 4217, such as “EUR”.")
    NO_WEB_ADDRESS = "no_web_address", _("It is no http or https address.")
    NO_LEAD_ID = "no_lead_id", _("It is no lead id: that has 15 to 17 digits.")
    NO_CHOICE = "no_choice", _("It is none of the words that Meta knows here.")
    NO_ID = "no_id", _("It has no id.")
    NO_DEVICE = "no_device", _("It is no list of 16 values, of which the first is “a2” or “i2”.")
    NO_FLAG = "no_flag", _("It is neither true nor false.")
    NO_OBJECT = "no_object", _("It is no object.")
    NO_LIST_OF_OBJECTS = "no_list_of_objects", _("It is no list of objects.")
    CONTROL_CHARACTERS = "control_characters", _("It contains control characters.")
    SECRET = "secret", _("It is a key, which no event may hold.")
    WEBSITE_NOT_LISTED = "website_not_listed", _("It comes from a website that may not send: the event was not taken.")
    KEY_REQUIRED = "key_required", _("It came without the access key, which no browser sends: the event was not taken.")
    NOBODY = "nobody", _("It says nothing of a visitor, and neither did the request: the event was not taken.")
    UNUSABLE = "unusable", _("It is a value that Meta cannot use.")


class LeftOut(NamedTuple):
    """A field of an event, or one of its values, that was not stored; the value itself is kept nowhere."""

    #: The path within the event, such as ``user_data.em``.
    field: str
    reason: Reason
