"""The audit log in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.audit import MASK
from accounts.models import AuditEntry, IngressDomain, RoleLevel, Tenant, TenantStatus
from accounts.principals import API_ACCOUNT_LABEL, OPERATOR, SCHEDULE

#: What follows the actor's name, by act. An act that is not here is shown as it was recorded.
_PHRASES = {
    "accept invitation": gettext_noop("accepted the invitation"),
    "activate pixel": gettext_noop("turned on receiving for pixel %(subject)s"),
    "add person": gettext_noop("invited %(subject)s"),
    "change password": gettext_noop("chose a new password"),
    "change role": gettext_noop("changed the role of %(subject)s"),
    "confirm address": gettext_noop("confirmed the address %(subject)s"),
    "connect pixel": gettext_noop("connected pixel %(subject)s"),
    "create API account": gettext_noop("made the API account %(subject)s"),
    "create account": gettext_noop("opened the account %(subject)s"),
    "deactivate pixel": gettext_noop("turned off receiving for pixel %(subject)s"),
    "delete API account": gettext_noop("deleted the API account %(subject)s"),
    "delete account": gettext_noop("deleted the account %(subject)s"),
    "disable publishing": gettext_noop("turned off publishing for pixel %(subject)s"),
    "discard dead letter": gettext_noop("discarded the refused event %(subject)s"),
    "discard dead letters": gettext_noop("discarded the refused events of pixel %(subject)s"),
    "disconnect pixel": gettext_noop("removed pixel %(subject)s"),
    "enable publishing": gettext_noop("turned on publishing for pixel %(subject)s"),
    "end seeing as": gettext_noop("stopped seeing the portal as %(subject)s"),
    "forget person": gettext_noop("forgot a person without a role"),
    "generate access key": gettext_noop("generated a new access key for pixel %(subject)s"),
    "make backup": gettext_noop("made the %(subject)s"),
    "reconnect pixel": gettext_noop("connected pixel %(subject)s again"),
    "remove person": gettext_noop("revoked the access of %(subject)s"),
    "deactivate person": gettext_noop("deactivated %(subject)s"),
    "activate person": gettext_noop("activated %(subject)s again"),
    "remove second factors": gettext_noop("took the second factors and passkeys of %(subject)s off"),
    "rename pixel": gettext_noop("renamed pixel %(subject)s"),
    "replay dead letter": gettext_noop("published the refused event %(subject)s again"),
    "replay dead letters": gettext_noop("published the refused events of pixel %(subject)s again"),
    "require access key": gettext_noop("made the access key required for pixel %(subject)s"),
    "retry publishing": gettext_noop("let pixel %(subject)s publish at once"),
    "restore backup": gettext_noop("restored the %(subject)s"),
    "rotate keys": gettext_noop("encrypted %(subject)s anew"),
    "send invitation": gettext_noop("made a new invitation link for %(subject)s"),
    "send password reset": gettext_noop("made a link to a new password for %(subject)s"),
    "send test event": gettext_noop("sent a test event to pixel %(subject)s"),
    "send test mail": gettext_noop("tried whether a mail reaches %(subject)s"),
    "set data routing": gettext_noop("set the data routing to %(subject)s"),
    "start seeing as": gettext_noop("began to see the portal as %(subject)s"),
    "stop requiring access key": gettext_noop("made the access key optional for pixel %(subject)s"),
    "update account": gettext_noop("changed the settings of the account %(subject)s"),
    "update domain filter": gettext_noop("changed the filter of the website %(subject)s"),
    "update event filter": gettext_noop("changed the filter of the event %(subject)s"),
    "vouch for address": gettext_noop("vouched for the address %(subject)s"),
    "update host": gettext_noop("changed the host's settings"),
}

_FIELDS: dict[str, Promise] = {
    "access_key": gettext_lazy("Access key"),
    "access_token": gettext_lazy("Access token"),
    "all pixels": gettext_lazy("All pixels"),
    "api_error_code": gettext_lazy("Error of the Graph API"),
    "api_version": gettext_lazy("Graph API version"),
    "bad_token": gettext_lazy("Access token rejected"),
    "business_id": gettext_lazy("Business id"),
    "can_partner_manage": gettext_lazy("Managed by the host"),
    "discarded": gettext_lazy("Events"),
    "event_bridge_active": gettext_lazy("Receives events"),
    "event_enrichment": gettext_lazy("Enhance events"),
    "external_id": gettext_lazy("External id"),
    "gateway": gettext_lazy("Gateway's host name"),
    "ingress": gettext_lazy("Gateway's host name"),  # of entries before the contract was mended
    "name": gettext_lazy("Name"),
    "own_domain": gettext_lazy("Own domain"),
    "publishing_enabled": gettext_lazy("Publishes events"),
    "replayed": gettext_lazy("Events"),
    "require_access_key": gettext_lazy("Access key required"),
    "role": gettext_lazy("Role"),
    "status": gettext_lazy("Status"),
    "target_domain": gettext_lazy("Own domain"),  # likewise
}
_FILTER_STATES = {"PUBLISH": gettext_lazy("Permitted"), "DROP": gettext_lazy("Blocked")}


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after, in words; None where there was nothing, or nothing is left."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry of the log, in words."""

    entry: AuditEntry
    actor: str
    phrase: str
    changes: list[Change]


def in_words(entries: Sequence[AuditEntry]) -> list[ShownEntry]:
    """The entries of one account, or of the host, each with what was done and changed."""
    pixels = pixel_names(entries)
    return [ShownEntry(entry, actor_of(entry), phrase_of(entry), changes_of(entry, pixels)) for entry in entries]


def pixel_names(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """What the pixels are called that the entries' changes name by id: one query at most."""
    found = [(entry.tenant_id, field) for entry in entries for field in entry.changes if field.isdecimal()]
    if not found:
        return {}
    tenants, pixels = map(set, zip(*found, strict=True))
    named = Tenant.objects.filter(pk__in=tenants, pixels__pixel_id__in=pixels)
    return {pixel_id: name for pixel_id, name in named.values_list("pixels__pixel_id", "pixels__name") if name}


def actor_of(entry: AuditEntry) -> str:
    """Who acted, as ``Principal.label`` has recorded it; what is no address of mail in the reader's language."""
    if entry.actor == OPERATOR.label:
        return _("command line")
    if entry.actor == SCHEDULE.label:
        return _("schedule")
    name = entry.actor.removeprefix(API_ACCOUNT_LABEL)
    return entry.actor if name == entry.actor else _("API account %(name)s") % {"name": name}


def phrase_of(entry: AuditEntry) -> str:
    """What the actor did: "connected pixel 123"."""
    return _phrase(entry.act, entry.subject)


def changes_of(entry: AuditEntry, pixels: Mapping[str, str] | None = None) -> list[Change]:
    """What the act changed; ``pixels`` are the names of those that it tells of by id."""
    words = _words_of(entry.act)
    return [
        Change(_label(field, pixels or {}), _value(field, before, words), _value(field, after, words))
        for field, (before, after) in _told(entry)
    ]


def _told(entry: AuditEntry) -> Iterator[tuple[str, list[Any]]]:
    """The changes; entries of earlier versions called the first token of a pixel a change of it."""
    for field, (before, after) in entry.changes.items():
        is_first = entry.act == "connect pixel" and before == MASK
        yield field, [None if is_first else before, after]


def act_choices() -> list[tuple[str, str]]:
    """Every act that has words, with them, in their order."""
    return sorted(((act, _phrase(act, "…")) for act in _PHRASES), key=lambda choice: choice[1].lower())


def _phrase(act: str, subject: str) -> str:
    phrase = _PHRASES.get(act)
    return _(phrase) % {"subject": subject} if phrase else f"{act}: {subject}"


def _label(field: str, pixels: Mapping[str, str]) -> str:
    if field.isdecimal():
        return f"{pixels[field]} ({field})" if field in pixels else _("Pixel %(id)s") % {"id": field}
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
    return str(_FIELDS.get(name) or field.replace("_", " ").capitalize())


def _words_of(act: str) -> Callable[[str, Any], object]:
    """How the act's values are called; the same ``status`` means several things."""
    if act in ("update account", "create account"):
        return lambda field, value: TenantStatus(value).label if field == "status" else None
    if act == "set data routing":
        return lambda field, value: IngressDomain.Status(value).label if field == "status" else None
    if act in ("update event filter", "update domain filter"):
        return lambda field, value: _FILTER_STATES.get(value)
    return lambda field, value: RoleLevel(value).label if field == "role" else None


def _value(field: str, value: Any, words: Callable[[str, Any], object]) -> str | None:
    if value is None or value == "":
        return None
    if value == MASK:
        return MASK
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    try:
        return str(words(field, value) or value)
    except ValueError:  # a value of an earlier version
        return str(value)
