"""Which filter decides about an event: pure functions, two dictionary look-ups and one for every further label.

The rules (contract: "Filters"): an event is dropped if its event-name filter or its domain filter says so. A pixel's
own filter beats the account-wide one of the same name. Of the domain filters that cover a host, the one with the
longest domain decides. What no filter speaks of is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a filter goes by."""

    EVENT = "EventFilter"
    DOMAIN = "DomainFilter"


def filter_id(kind: Kind, name: str, pixel_id: str | None) -> str:
    """The id of a filter in the API: ``EventFilter:Purchase:global``, ``DomainFilter:example.com:1234``."""
    return f"{kind.value}:{name}:{pixel_id or 'global'}"


class Rule(NamedTuple):
    """A filter: of all the account's pixels where ``pixel_id`` is None, else of that one."""

    kind: Kind
    name: str
    pixel_id: str | None
    drops: bool

    @property
    def id(self) -> str:
        """How the API names the filter."""
        return filter_id(self.kind, self.name, self.pixel_id)


@dataclass(frozen=True, slots=True)
class FilterSet:
    """The filters that hold for one pixel: by event name and by domain, one each. Nothing in it changes."""

    events: Mapping[str, Rule]
    domains: Mapping[str, Rule]

    @classmethod
    def of(cls, account_wide: Iterable[Rule], own: Iterable[Rule]) -> FilterSet:
        """The account-wide filters, those of the pixel itself in the place of their namesakes."""
        rules: dict[Kind, dict[str, Rule]] = {Kind.EVENT: {}, Kind.DOMAIN: {}}
        for source in (account_wide, own):
            for rule in source:
                rules[rule.kind][rule.name] = rule
        return cls(rules[Kind.EVENT], rules[Kind.DOMAIN])

    def dropped_by(self, event_name: str, host: str | None) -> Rule | None:
        """The filter that drops the event; None: publish it. ``host`` is a website's as ``host_of`` gives it."""
        rule = self.events.get(event_name)
        if rule is not None and rule.drops:
            return rule
        if host and self.domains:
            rule = self.rule_for_host(host)
            if rule is not None and rule.drops:
                return rule
        return None

    def rule_for(self, kind: Kind, name: str) -> Rule | None:
        """The one filter that decides about an event name, or about a domain."""
        return self.events.get(name) if kind is Kind.EVENT else self.rule_for_host(name)

    def rule_for_host(self, host: str) -> Rule | None:
        """The domain filter that decides about a host: the one with the longest domain that covers it."""
        for domain in covering(host):
            rule = self.domains.get(domain)
            if rule is not None:
                return rule
        return None


def covering(host: str) -> Iterator[str]:
    """The domains that cover a host, the longest first: ``a.example.com``, ``example.com``, ``com``."""
    while host:
        yield host
        host = host.partition(".")[2]
