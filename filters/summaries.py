"""What an account's filters say about names, over all of its pixels: on, off, or mixed.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q

from accounts.models import Tenant
from filters.matching import Kind, Rule, covering
from filters.reads import ShownState, rules_of


class Summary(NamedTuple):
    """What happens to the events of a name: account-wide, and on how many pixels otherwise."""

    name: str
    #: Of all the account's pixels together.
    state: ShownState
    #: Of pixels without a filter of their own, those to come included.
    drops: bool
    #: The pixels that differ from that, by id.
    exceptions: frozenset[str]

    def drops_on(self, pixel_id: str) -> bool:
        """Are the name's events dropped on this pixel?"""
        return self.drops != (pixel_id in self.exceptions)


class Summaries:
    """An account's filters of one kind, to ask about any name: one query."""

    def __init__(self, tenant: Tenant, kind: Kind, pixel_count: int) -> None:
        self._kind = kind
        self._pixel_count = pixel_count
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules_of(tenant.pk, kind, Q()):
            self._rules.setdefault(rule.name, []).append(rule)

    @property
    def names(self) -> set[str]:
        """The names that filters speak of."""
        return set(self._rules)

    def of(self, name: str) -> Summary:
        """What happens to the events of ``name``, by the order of precedence that ``filters.matching`` has."""
        own: dict[str, bool] = {}
        drops = False
        for source in covering(name) if self._kind is Kind.DOMAIN else [name]:
            rules = self._rules.get(source, ())
            for rule in rules:
                if rule.pixel_id is not None:
                    own.setdefault(rule.pixel_id, rule.drops)
            account_wide = next((rule for rule in rules if rule.pixel_id is None), None)
            if account_wide is not None:
                drops = account_wide.drops
                break
        return _summary(name, drops, own, self._pixel_count)

    def of_all(self, names: Iterable[str]) -> list[Summary]:
        """What happens to the events of each of the names."""
        return [self.of(name) for name in names]


def _summary(name: str, drops: bool, own: dict[str, bool], pixel_count: int) -> Summary:
    exceptions = frozenset(pixel_id for pixel_id, its in own.items() if its != drops)
    if not exceptions:
        state = ShownState.DROP if drops else ShownState.PUBLISH
    elif len(exceptions) < pixel_count:
        state = ShownState.MIXED
    else:
        state = ShownState.PUBLISH if drops else ShownState.DROP
    return Summary(name, state, drops, exceptions)
