"""Every rule, the worst first. A new one is a function, a line here, a name in ``RuleName`` and words in
``alerts/words.py``."""

from __future__ import annotations

from alerts.models import RuleName
from alerts.rules import instance, silence, standing, traffic, waiting
from alerts.rules.found import Rule

RULES = (
    Rule(RuleName.DISK, instance.disk, threshold=90, most=99, is_hosts=True),
    Rule(RuleName.QUEUE, instance.queue, threshold=10, most=24 * 60, is_hosts=True),
    Rule(RuleName.SCHEDULER, instance.scheduler, threshold=10, most=24 * 60, is_hosts=True),
    Rule(RuleName.TOKEN, standing.rejected_tokens),
    Rule(RuleName.DESTINATION, standing.held_destinations),
    Rule(RuleName.SILENCE, silence.silent_pixels, threshold=silence.ENOUGH, most=1_000_000, is_severe=True),
    Rule(RuleName.WAITING, waiting.waiting_events, threshold=30, most=7 * 24 * 60),
    Rule(RuleName.SUCCESS, traffic.success_rates, threshold=90, is_floor=True),
    Rule(RuleName.REFUSED, traffic.refused_shares, threshold=10, is_severe=True),
    Rule(RuleName.REGISTRATION, standing.refused_registrations),
    Rule(RuleName.DOMAIN, standing.domains_elsewhere, is_severe=True),
    Rule(RuleName.API_ACCOUNT, standing.expiring_api_accounts, threshold=14, most=14, is_floor=True, is_hosts=True),
    Rule(RuleName.RECEIVER, standing.receivers_switched_off),
)
#: What accounts set, and what the host sets for itself: it has channels, too.
OF_ACCOUNTS = tuple(rule for rule in RULES if not rule.is_hosts)
OF_HOST = tuple(rule for rule in RULES if rule.is_hosts or rule.name is RuleName.RECEIVER)
RULE_OF = {rule.name: rule for rule in RULES}
#: The worst is nought.
RANK = {rule.name: rank for rank, rule in enumerate(RULES)}
