"""Notices as Slack's incoming webhooks take them, and what imitates these (Mattermost, Discord's /slack, …)."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings

from alerts.channels.answers import Message, Told
from alerts.models import Incident, Notice, Receiver
from alerts.words import describe

#: In characters. Slack takes 150 in a header and 3,000 in a section, and "&" becomes five.
_HEADER, _TEXT = 150, 280


def compose(receiver: Receiver, told: Told) -> Message:
    """A line for those who are notified, and blocks for those who look. The address alone lets one in."""
    if told.incident is None:
        body: dict[str, Any] = {"text": "The gateway tries this channel."}
    else:
        body = _incident(told.incident, "" if told.kind is Notice.Kind.OPENED else f"{told.kind.label}: ")
    return Message({}, orjson.dumps(body))


def _incident(incident: Incident, before: str) -> dict[str, Any]:
    words = describe(incident)
    account = f" · {incident.tenant.name}" if incident.tenant else ""
    title = f"{before}{words.title}{account}"
    link = f"<{settings.BASE_URL}{words.path}|See it in the portal>"
    return {
        "text": _plain(f"{title}: {words.what}"),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title[:_HEADER]}},
            _section(f"{_plain(words.what)}\n{_plain(words.remedy)}"),
            _section(link),
        ],
    }


def _section(text: str) -> dict[str, Any]:
    """``verbatim``: what looks like an address is made no link."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> str:
    """A name can be neither a link nor ``<!channel>``: these are what the three characters are for."""
    escaped = text[:_TEXT].replace("&", "&amp;")
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
