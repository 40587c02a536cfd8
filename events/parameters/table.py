"""The parameters of an event that Meta knows, and what each takes: the one table that the intake and the sandbox read.

After the reference of the Conversions API ("Server event parameters", "Customer information parameters", "Custom data
parameters", "App data parameters"), the fields of Meta's SDKs, and refusals that people report. Where these leave it
open whether Meta takes a value, the rule here is the narrower one. The intake mends what breaks a rule, or leaves it
out; the sandbox refuses it, as Meta would: so what the intake lets through, the sandbox takes.

What an event cannot do without is checked elsewhere (events/intake/checks.py), as are identifiers that are hashed
(events/intake/hashing/).
"""

from __future__ import annotations

from events.parameters import special
from events.parameters.rules import (
    AMOUNT,
    BIT,
    COUNT,
    FILLED_TEXT,
    FLAG,
    ID,
    IDS,
    OBJECT,
    OBJECTS,
    TEXT,
    WHOLE,
    ParameterRule,
    one_of,
)

#: Meta's list ("Server Event Parameters" of the Conversions API).
ACTION_SOURCES = (
    "email",
    "website",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
)

Rules = dict[str, ParameterRule]

_DELIVERY = one_of(("in_store", "curbside", "home_delivery"))

#: Of the event itself.
EVENT: Rules = {
    "event_source_url": special.WEB_ADDRESS,
    "referrer_url": TEXT,
    "opt_out": FLAG,
    "data_processing_options": special.DATA_LIMITS,
    "data_processing_options_country": WHOLE,
    "data_processing_options_state": WHOLE,
    "custom_data": OBJECT,
    "app_data": OBJECT,
    "attribution_data": OBJECT,
    "original_event_data": OBJECT,
    "customer_segmentation": OBJECT,
    "advanced_measurement_table": TEXT,
    "messaging_channel": one_of(("instagram", "messenger", "whatsapp")),
}

#: Beside what is hashed and ``external_id``.
USER_DATA: Rules = {
    "client_ip_address": special.IP_ADDRESS,
    "client_user_agent": FILLED_TEXT,
    "fbc": special.FBC,
    "fbp": special.FBP,
    "lead_id": special.LEAD_ID,
    **dict.fromkeys(("subscription_id", "fb_login_id", "anon_id", "madid", "partner_id", "partner_name"), ID),
    # Whose conversation it was.
    **dict.fromkeys(("ctwa_clid", "page_id", "page_scoped_user_id", "ig_account_id", "ig_sid"), ID),
    "whatsapp_business_account_id": ID,
}

#: Others are an advertiser's own.
CUSTOM_DATA: Rules = {
    "currency": special.CURRENCY,
    "value": AMOUNT._replace(subcode=None),
    "predicted_ltv": AMOUNT,
    "net_revenue": AMOUNT,
    "num_items": COUNT,
    "contents": OBJECTS,
    "content_ids": IDS,
    **dict.fromkeys(("content_type", "content_name", "content_category", "search_string"), TEXT),
    "order_id": ID,
    "delivery_category": _DELIVERY,
}

#: Of each of the ``contents``, which has at least an id.
CONTENT: Rules = {
    "id": ID,
    "quantity": COUNT,
    "item_price": AMOUNT,
    **dict.fromkeys(("title", "description", "brand", "category"), TEXT),
    "delivery_category": _DELIVERY,
}

#: What an app must tell of itself; the rest is open.
APP_DATA: Rules = {
    "advertiser_tracking_enabled": BIT,
    "application_tracking_enabled": BIT,
    "extinfo": special.EXTINFO,
}
