"""Notices as Standard Webhooks (https://www.standardwebhooks.com): signed JSON under the notice's id."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone
from standardwebhooks import Webhook

from alerts.channels.answers import Message, Told
from alerts.models import Incident, Receiver
from alerts.words import describe

#: Of a secret.
_BYTES = 32


def new_secret() -> str:
    """A secret that is not known yet."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"


def compose(receiver: Receiver, told: Told) -> Message:
    """The notice, signed with each secret that is valid now."""
    body, now, key = orjson.dumps(_body(told)), timezone.now(), str(told.id)
    signatures = [Webhook(secret).sign(key, now, body.decode()) for secret in receiver.secrets()]
    return Message(
        {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        },
        body,
    )


def _body(told: Told) -> dict[str, Any]:
    if told.incident is None:
        kind, data = told.kind.value, {"message": "The gateway tries this webhook."}
    else:
        kind, data = f"incident.{told.kind.value}", _incident(told.incident)
    return {"type": kind, "timestamp": told.at.isoformat(), "data": data}


def _incident(incident: Incident) -> dict[str, Any]:
    words = describe(incident)
    kind, _space, name = incident.subject.partition(" ")
    tenant = incident.tenant
    return {
        "id": str(incident.pk),
        "rule": incident.rule,
        "title": words.title,
        "message": words.what,
        "remedy": words.remedy,
        "link": f"{settings.BASE_URL}{words.path}",
        "account": {"id": tenant.pk, "name": tenant.name} if tenant else None,
        "subject": {"type": kind, "id": name, "name": incident.facts.get("name", "")},
        "openedAt": incident.opened_at.isoformat(),
        "closedAt": incident.closed_at.isoformat() if incident.closed_at else None,
    }
