"""The audit log in words: those that each act brings (accounts.audit)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.audit import ACTS, MASK, Act
from accounts.models import AuditEntry, Tenant
from accounts.principals import API_ACCOUNT_LABEL, OPERATOR, SCHEDULE


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
    """Who acted, in the reader's language."""
    return name_of_actor(entry.actor)


def name_of_actor(label: str) -> str:
    """In words what ``Principal.label`` has recorded; an address of mail stays as it is."""
    if label == OPERATOR.label:
        return _("the gateway's operator")
    if label == SCHEDULE.label:
        return _("schedule")
    name = label.removeprefix(API_ACCOUNT_LABEL)
    return label if name == label else _("API account %(name)s") % {"name": name}


def phrase_of(entry: AuditEntry) -> str:
    """What the actor did: "connected pixel 123"."""
    return _phrase(entry.act, entry.subject)


def changes_of(entry: AuditEntry, pixels: Mapping[str, str] | None = None) -> list[Change]:
    """What the act changed; ``pixels`` are the names of those that it tells of by id."""
    act = ACTS.get(entry.act)
    return [
        Change(_label(act, field, pixels or {}), _value(act, field, before), _value(act, field, after))
        for field, (before, after) in _told(entry)
    ]


def _told(entry: AuditEntry) -> Iterator[tuple[str, list[Any]]]:
    """The changes; entries of earlier versions called the first token of a pixel a change of it."""
    for field, (before, after) in entry.changes.items():
        is_first = entry.act == "connect pixel" and before == MASK
        yield field, [None if is_first else before, after]


def act_choices() -> list[tuple[str, str]]:
    """Every act that has words, with them, in their order."""
    return sorted(((act, _phrase(act, "…")) for act in ACTS), key=lambda choice: choice[1].lower())


def _phrase(act: str, subject: str) -> str:
    return str(ACTS[act].phrase) % {"subject": subject} if act in ACTS else f"{act}: {subject}"


def _label(act: Act | None, field: str, pixels: Mapping[str, str]) -> str:
    if field.isdecimal():
        return f"{pixels[field]} ({field})" if field in pixels else _("Pixel %(id)s") % {"id": field}
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
    return str((act and act.fields.get(name)) or field.replace("_", " ").capitalize())


def _value(act: Act | None, field: str, value: Any) -> str | None:
    if value is None or value in ("", [], {}):
        return None
    if value == MASK:
        return MASK
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    try:
        return str((act and act.values(field, value)) or _plain(value))
    except ValueError:  # a value of an earlier version
        return _plain(value)


def _plain(value: Any) -> str:
    """Several values of one setting, such as a header's name and place, without the marks of a language for code."""
    return ", ".join(f"{name}: {each}" for name, each in value.items()) if isinstance(value, dict) else str(value)
