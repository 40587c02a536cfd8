"""What an account, or the host, wants to be told of."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, apply_changes, record
from accounts.principals import Principal
from alerts.models import RuleName, RuleSetting
from alerts.rules.found import Rule
from alerts.rules.table import OF_ACCOUNTS, OF_HOST, RULE_OF
from alerts.services.places import get_place
from common.errors import InvalidInput
from pixels.reads import get_pixel

SET_RULE = Act(
    "set alert rule",
    _("changed what %(subject)s alerts of"),
    {"muted": _("Muted"), "threshold": _("Threshold")},
)
#: In the audit log, whose entries are in English.
_THE_HOST = "the host"


@transaction.atomic
def set_rule(
    *,
    principal: Principal,
    tenant_id: str | None,
    rule: str,
    pixel_id: str | None = None,
    muted: bool,
    threshold: int | None,
) -> RuleSetting | None:
    """Mute a rule, or give it another threshold, for the account or one of its pixels; or for the host, without one.

    What is as by default leaves no row. Incidents follow with the next look, within a minute.
    """
    tenant = get_place(principal, tenant_id)
    name = _clean_rule(rule, OF_ACCOUNTS if tenant else OF_HOST)
    _check_threshold(name, threshold)
    pixel = get_pixel(tenant, pixel_id, field="pixelId") if tenant and pixel_id else None
    row = RuleSetting.objects.filter(tenant=tenant, pixel=pixel, rule=name).first()
    row = row or RuleSetting(tenant=tenant, pixel=pixel, rule=name)
    new = {"muted": muted, "threshold": threshold}
    if row.pk is None:
        changes = {field: [getattr(row, field), value] for field, value in new.items() if getattr(row, field) != value}
        row.muted, row.threshold = muted, threshold
        if changes:
            row.save()
    else:
        changes = apply_changes(row, new)
    if changes:
        record(principal, SET_RULE, f"{name.value} {pixel or tenant or _THE_HOST}", tenant=tenant, changes=changes)
    if row.pk and not muted and threshold is None:
        row.delete()
        return None
    return row if row.pk else None


def _clean_rule(rule: str, rules: Iterable[Rule]) -> RuleName:
    known = [each.name.value for each in rules]
    if rule not in known:
        raise InvalidInput("rule", "must be one of {names}.", names=", ".join(known))
    return RuleName(rule)


def _check_threshold(name: RuleName, threshold: int | None) -> None:
    rule = RULE_OF[name]
    if threshold is None:
        return
    if rule.threshold is None:
        raise InvalidInput("threshold", "cannot be set: this rule has none.")
    if not 1 <= threshold <= rule.most:
        raise InvalidInput("threshold", "must be between 1 and {most}.", most=rule.most)
