"""Summaries say of every name, over all pixels, what the filters would decide pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Tenant
from filters import summaries
from filters.matching import FilterSet, Kind, Rule
from filters.reads import ShownState
from filters.summaries import Summaries

NAMES = {
    Kind.EVENT: ["Purchase", "purchase", "Lead"],
    Kind.DOMAIN: ["example.com", "shop.example.com", "a.shop.example.com", "notexample.com"],
}
PIXELS = ["1", "2", "3"]


def rules_for(kind: Kind) -> st.SearchStrategy[list[Rule]]:
    rule = st.builds(
        Rule, st.just(kind), st.sampled_from(NAMES[kind]), st.sampled_from([None, *PIXELS]), drops=st.booleans()
    )
    return st.lists(rule, unique_by=lambda rule: (rule.name, rule.pixel_id))


def summaries_of(monkeypatch: pytest.MonkeyPatch, kind: Kind, rules: list[Rule]) -> Summaries:
    monkeypatch.setattr(summaries, "rules_of", lambda tenant_id, kind, wanted: rules)
    return Summaries(Tenant(), kind, len(PIXELS))


def drops(kind: Kind, name: str, rules: Iterable[Rule], pixel_id: str | None) -> bool:
    account_wide = [rule for rule in rules if rule.pixel_id is None]
    own = [rule for rule in rules if rule.pixel_id is not None and rule.pixel_id == pixel_id]
    rule = FilterSet.of(account_wide, own).rule_for(kind, name)
    return rule is not None and rule.drops


@pytest.mark.parametrize("kind", Kind)
def test_a_summary_is_what_the_filters_decide_on_each_pixel(kind: Kind) -> None:
    @given(rules=rules_for(kind), name=st.sampled_from(NAMES[kind]))
    def hold(rules: list[Rule], name: str) -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            summary = summaries_of(monkeypatch, kind, rules).of(name)
        decided = {pixel_id: drops(kind, name, rules, pixel_id) for pixel_id in PIXELS}
        assert {pixel_id: summary.drops_on(pixel_id) for pixel_id in PIXELS} == decided
        # A pixel that comes later has no filter of its own.
        assert summary.drops == drops(kind, name, rules, None)
        states = {ShownState.DROP if dropped else ShownState.PUBLISH for dropped in decided.values()}
        assert summary.state == (states.pop() if len(states) == 1 else ShownState.MIXED)

    hold()


def test_without_pixels_the_account_wide_filter_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "rules_of", lambda *_: [Rule(Kind.EVENT, "Lead", None, drops=True)])
    shown = Summaries(Tenant(), Kind.EVENT, 0)
    assert (shown.of("Lead").state, shown.of("Other").state) == (ShownState.DROP, ShownState.PUBLISH)
    assert shown.names == {"Lead"}
