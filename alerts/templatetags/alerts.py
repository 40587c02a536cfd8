"""What is wrong, where pages of other apps show it: the bell in the menu, badges in the list of accounts."""

from __future__ import annotations

from typing import Any

from django.template import Library

from alerts.models import RuleName
from alerts.reads import open_rules

register = Library()

#: The menu has little room.
SHOWN_AT_MOST = 99


@register.simple_tag(takes_context=True)
def bell(context: dict[str, Any]) -> str:
    """How many incidents are open in the account in view, or for the host in all; empty for none."""
    count = context["accounts"].counted or 0
    return f"{SHOWN_AT_MOST}+" if count > SHOWN_AT_MOST else str(count or "")


@register.simple_tag(takes_context=True)
def rules_of_accounts(context: dict[str, Any]) -> dict[str, list[RuleName]]:
    """The broken rules of the accounts that the table shows. Rejected tokens have a badge of their own."""
    shown = [row.record.pk for row in context["table"].page.object_list if "VIEW_DATA" in row.record.can]
    rules = open_rules(context["principal"].borders, shown)
    return {pk: [rule for rule in found if rule is not RuleName.TOKEN] for pk, found in rules.items()}


@register.filter
def of_account(rules: dict[str, list[RuleName]], account: str) -> list[RuleName]:
    """An account's own of ``rules_of_accounts``."""
    return rules.get(account, []) if rules else []
