"""matching.py decides as the rules are written: compared with a model that tries every filter."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from filters.matching import FilterSet, Kind, Rule, covering, filter_id

PIXEL = "1"
labels = st.sampled_from(["a", "b", "shop", "example", "com", "co", "uk"])
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
event_names = st.sampled_from(["Purchase", "purchase", "Lead", "Añadir", "Add to cart"])


def rules_of(kind: Kind, names: st.SearchStrategy[str]) -> st.SearchStrategy[list[Rule]]:
    """Filters of an account as the database holds them: one for each name and scope."""
    rule = st.builds(Rule, st.just(kind), names, st.sampled_from([None, PIXEL]), st.booleans())
    return st.lists(rule, max_size=8, unique_by=lambda rule: (rule.name, rule.pixel_id))


all_rules = st.tuples(rules_of(Kind.EVENT, event_names), rules_of(Kind.DOMAIN, hosts)).map(
    lambda pair: [*pair[0], *pair[1]]
)


def build(rules: list[Rule]) -> FilterSet:
    return FilterSet.of(
        [rule for rule in rules if rule.pixel_id is None], [rule for rule in rules if rule.pixel_id is not None]
    )


def brute_force(rules: list[Rule], event_name: str, host: str | None) -> Rule | None:
    """The filter that drops the event, by trying all of them and sorting by the contract's words."""

    def covers(rule: Rule) -> bool:
        if rule.kind is Kind.EVENT:
            return rule.name == event_name
        return host is not None and (host == rule.name or host.endswith(f".{rule.name}"))

    for kind in (Kind.EVENT, Kind.DOMAIN):
        candidates = [rule for rule in rules if rule.kind is kind and covers(rule)]
        candidates.sort(key=lambda rule: (len(rule.name), rule.pixel_id is not None))
        if candidates and candidates[-1].drops:
            return candidates[-1]
    return None


@given(all_rules, event_names, st.none() | hosts)
def test_it_decides_as_trying_every_filter_does(rules: list[Rule], event_name: str, host: str | None) -> None:
    assert build(rules).dropped_by(event_name, host) == brute_force(rules, event_name, host)


@given(all_rules, event_names, hosts, st.randoms())
def test_the_order_of_the_filters_does_not_matter(
    rules: list[Rule], event_name: str, host: str, random: object
) -> None:
    before = build(rules).dropped_by(event_name, host)
    random.shuffle(rules)  # type: ignore[attr-defined]
    assert build(rules).dropped_by(event_name, host) == before


def test_without_filters_everything_is_published() -> None:
    assert FilterSet.of([], []).dropped_by("Purchase", "example.com") is None


def test_a_pixels_own_filter_beats_the_account_wide_one() -> None:
    drop = Rule(Kind.EVENT, "Purchase", None, drops=True)
    publish = Rule(Kind.EVENT, "Purchase", PIXEL, drops=False)

    assert FilterSet.of([drop], []).dropped_by("Purchase", None) == drop
    assert FilterSet.of([drop], [publish]).dropped_by("Purchase", None) is None


def test_the_longest_domain_decides_even_against_the_pixels_own_filter() -> None:
    own = Rule(Kind.DOMAIN, "example.com", PIXEL, drops=True)
    longer = Rule(Kind.DOMAIN, "shop.example.com", None, drops=False)
    filters = FilterSet.of([longer], [own])

    assert filters.dropped_by("Purchase", "www.shop.example.com") is None
    assert filters.dropped_by("Purchase", "www.example.com") == own


def test_a_domain_covers_whole_labels_only() -> None:
    filters = FilterSet.of([Rule(Kind.DOMAIN, "example.com", None, drops=True)], [])

    assert filters.dropped_by("Purchase", "notexample.com") is None
    assert filters.dropped_by("Purchase", "example.com.evil.net") is None


def test_an_event_is_dropped_if_either_filter_says_so() -> None:
    event, domain = Rule(Kind.EVENT, "Lead", None, drops=True), Rule(Kind.DOMAIN, "example.com", None, drops=True)
    filters = FilterSet.of([event, domain, Rule(Kind.EVENT, "Purchase", None, drops=False)], [])

    assert filters.dropped_by("Lead", "other.com") == event
    assert filters.dropped_by("Purchase", "example.com") == domain
    assert filters.dropped_by("Lead", "example.com") == event


def test_event_names_match_exactly() -> None:
    filters = FilterSet.of([Rule(Kind.EVENT, "Purchase", None, drops=True)], [])

    assert not [name for name in ("purchase", "Purchase ", "Purch") if filters.dropped_by(name, None)]


def test_a_filter_names_itself_as_the_api_does() -> None:
    assert Rule(Kind.EVENT, "Purchase", None, drops=True).id == "EventFilter:Purchase:global"
    assert filter_id(Kind.DOMAIN, "example.com", "42") == "DomainFilter:example.com:42"


def test_a_host_is_covered_by_itself_and_every_domain_above() -> None:
    assert list(covering("a.example.com")) == ["a.example.com", "example.com", "com"]


def test_matching_needs_no_django() -> None:
    code = "import filters.matching, sys; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
