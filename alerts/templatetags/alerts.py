"""What is wrong, where pages of other apps show it: the bell in the menu, badges in the list of accounts."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.template import Library
from django.urls import reverse
from django.utils.http import urlencode

from alerts.channels import posting
from alerts.models import Posting, RuleName
from alerts.reads import Broken, open_rules
from alerts.words import path_of

register = Library()

#: The menu has little room.
SHOWN_AT_MOST = 99


@register.simple_tag(takes_context=True)
def bell(context: dict[str, Any]) -> str:
    """How many incidents are open in the account in view, or for the host in all; empty for none."""
    count = context["accounts"].counted or 0
    return f"{SHOWN_AT_MOST}+" if count > SHOWN_AT_MOST else str(count or "")


class Badge(NamedTuple):
    """A broken rule of an account, how often it is broken, and the page to go to."""

    rule: RuleName
    times: int
    path: str


@register.simple_tag(takes_context=True)
def rules_of_accounts(context: dict[str, Any]) -> dict[str, list[Badge]]:
    """The broken rules of the accounts that the table shows. Rejected tokens have a badge of their own.

    One that is broken once leads to the cause, one that is broken oftener to the account's incidents.
    """
    shown = [row.record.pk for row in context["table"].page.object_list if "VIEW_DATA" in row.record.can]
    found = open_rules(context["principal"].borders, shown)
    return {pk: [_badge(each) for each in rules if each.rule is not RuleName.TOKEN] for pk, rules in found.items()}


def _badge(broken: Broken) -> Badge:
    incidents = f"{reverse('alerts:incidents')}?{urlencode({'tenant': broken.one.tenant_id or ''})}"
    return Badge(broken.rule, broken.times, path_of(broken.one) if broken.times == 1 else incidents)


@register.filter
def why_silent(line: Posting) -> str:
    """Why a receiver gave no answer; empty where it gave one."""
    return posting.why_silent(line)


@register.filter
def of_account(rules: dict[str, list[Badge]], account: str) -> list[Badge]:
    """An account's own of ``rules_of_accounts``."""
    return rules.get(account, []) if rules else []
