"""What an account wants to be alerted of, for all of its pixels or for one; and the host, by its own rules."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import Tenant
from accounts.permissions import Action
from accounts.places import Place
from accounts.views.pages import address
from accounts.web import AccountRequest, HostRequest, account_page, said_yes, sentence
from alerts.models import RuleName, RuleSetting
from alerts.rules.table import OF_ACCOUNTS, OF_HOST
from alerts.services.rules import set_rule
from alerts.views.receivers import shown_receivers
from alerts.views.schedule import schedule_context
from common.errors import InvalidInput
from pixels.models import Pixel
from pixels.reads import get_pixel

#: What a rule's threshold counts.
_UNITS = {
    RuleName.DISK: gettext_lazy("Percent of the disk that may be in use"),
    RuleName.QUEUE: gettext_lazy("Minutes that the oldest event may wait for a worker"),
    RuleName.SCHEDULER: gettext_lazy("Minutes for which the scheduler may stand still"),
    RuleName.API_ACCOUNT: gettext_lazy("Days before the end on which you are told at the earliest"),
    RuleName.SILENCE: gettext_lazy("Events that must have been expected"),
    RuleName.WAITING: gettext_lazy("Minutes that the oldest event may wait"),
    RuleName.SUCCESS: gettext_lazy("Percent of events that must be taken"),
    RuleName.REFUSED: gettext_lazy("Percent of events that may be refused at intake"),
}
#: What there is to know of a rule. tests/alerts/test_silence.py sees to it that it is true.
_HELP = {
    RuleName.SILENCE: gettext_lazy(
        "With 2,000 events on a working day, silence is mostly found within 2 hours; with 500, within 6; with 120, "
        "within a day; with fewer than 50, it is seldom found. After holidays it takes longer. A lower number finds it "
        "earlier, and may raise false alarms on days with little traffic."
    ),
}
#: About what belongs to no pixel.
_OF_ACCOUNT = (RuleName.DESTINATION, RuleName.DOMAIN, RuleName.RECEIVER)
_NUMBER = re.compile(r"[0-9]+")
#: A number with more digits is too high for every rule.
_DIGITS = 9


class Refused(NamedTuple):
    """A threshold that was not taken: of which rule, why, and what else its card said."""

    rule: str
    reason: str
    threshold: str
    muted: bool


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_SETTINGS)
def rules(request: AccountRequest) -> HttpResponse:
    """Show each rule with its settings; or mute one, or set its threshold."""
    of = request.GET.get("of", "").strip()
    pixel = get_pixel(request.tenant, of, field="of") if of else None
    refused = _save(request, request.tenant, pixel) if request.method == "POST" else None
    if request.method == "POST" and not refused:
        page = address("alerts:rules", request.tenant)
        return redirect(f"{page}&{urlencode({'of': pixel.pixel_id})}" if pixel else page)
    context = {
        "pixel": pixel,
        "rules": _rows(request, request.tenant, pixel, refused),
        "receivers": [] if pixel else shown_receivers(request.principal.borders, request.tenant),
        **({} if pixel else schedule_context(request.tenant)),
        "add": address("alerts:add_receiver", request.tenant),
    }
    return render(request, "alerts/rules.html", context, status=400 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def host_rules(request: HostRequest, place: Place) -> HttpResponse:
    """Show each of the host's own rules, and its channels; or mute a rule, or set its threshold."""
    refused = _save(request, None, None) if request.method == "POST" else None
    if request.method == "POST" and not refused:
        return redirect(address("host:rules"))
    context = {
        "rules": _rows(request, None, None, refused),
        "receivers": shown_receivers(request.principal.borders, None),
        "add": address("host:add_receiver"),
    }
    return render(request, "alerts/rules.html", context, status=400 if refused else 200)


def _save(request: HostRequest, tenant: Tenant | None, pixel: Pixel | None) -> Refused | None:
    rule, muted = request.POST.get("rule", ""), not said_yes(request, "on")
    text = request.POST.get("threshold", "").strip()
    try:
        set_rule(
            principal=request.principal,
            tenant_id=tenant.pk if tenant else None,
            rule=rule,
            pixel_id=pixel.pixel_id if pixel else None,
            muted=muted,
            threshold=_number(text),
        )
    except InvalidInput as error:
        if error.field != "threshold" or rule not in _UNITS:  # only these have a field that can show it
            raise
        return Refused(rule, sentence(error), text, muted)
    messages.success(request, _("Saved. Alerts follow within a minute."))
    return None


def _number(text: str) -> int | None:
    if text and not _NUMBER.fullmatch(text):
        raise InvalidInput("threshold", "must be a whole number.")
    return int(text[: _DIGITS + 1]) if text else None


def _rows(
    request: HostRequest, tenant: Tenant | None, pixel: Pixel | None, refused: Refused | None
) -> list[dict[str, Any]]:
    ours = RuleSetting.objects.visible_to(request.principal.borders).filter(tenant=tenant, pixel=None)
    of_account = {row.rule: row for row in ours}
    own = of_account
    if pixel:
        of_pixel = RuleSetting.objects.visible_to(request.principal.borders).filter(tenant=tenant, pixel=pixel)
        own = {row.rule: row for row in of_pixel}
    rows = []
    for rule in OF_ACCOUNTS if tenant else OF_HOST:
        if pixel and rule.name in _OF_ACCOUNT:
            continue
        above = of_account.get(rule.name) if pixel else None
        inherited = above.threshold if above and above.threshold is not None else rule.threshold
        row = own.get(rule.name)
        wrong = refused if refused and refused.rule == rule.name else None
        rows.append(
            {
                "name": rule.name,
                "unit": _UNITS.get(rule.name),
                "help": _HELP.get(rule.name),
                "most": rule.most,
                "default": inherited,
                "muted": wrong.muted if wrong else bool(row and row.muted),
                "threshold": wrong.threshold if wrong else row and row.threshold,
                "refusal": wrong and wrong.reason,
                "muted_above": bool(above and above.muted),
            }
        )
    return rows
