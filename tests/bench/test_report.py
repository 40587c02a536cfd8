"""The benchmarks' page: what is measured is told with its target, its spread, and whether it is met."""

from __future__ import annotations

from bench.report import Result, Row, render
from bench.rounds import Effort, Ratio, measure, ratio


def page_of(*rows: Row) -> str:
    return render(
        [Result("GraphQL", list(rows), "requests a second", {"A, portal": 1_234.5})], {"PostgreSQL": "15"}, 20
    )


def test_a_target_that_is_met() -> None:
    page = page_of(Row("A", "graphene-django", 20, Ratio(21.5, 19.0, 23.25)))

    assert "| A    | graphene-django | at least 20 × | 21.50 × | 19.00–23.25 | yes |" in page
    assert "1 of 1 targets are met." in page
    assert "| A, portal | 1,234" in page
    assert "| PostgreSQL" in page


def test_a_target_that_is_missed() -> None:
    page = page_of(Row("A", "graphene-django", 20, Ratio(19.9, 19.0, 23.25)))

    assert "| **no** |" in page
    assert "0 of 1 targets are met." in page


def test_a_time_that_must_not_grow() -> None:
    slower, faster = Ratio(1.3, 1.0, 1.4), Ratio(0.9, 0.8, 1.4)

    assert not Row("A", "200 accounts", 1.2, slower, at_most=True).is_met
    assert Row("A", "200 accounts", 1.2, faster, at_most=True).is_met


def test_every_other_round_goes_backwards() -> None:
    order: list[str] = []

    def thing(name: str, figure: float) -> float:
        order.append(name)
        return figure

    found = measure({"portal": lambda: thing("portal", 6), "peer": lambda: thing("peer", 2)}, Effort(1, 3, 0).rounds)

    assert order == ["portal", "peer", "peer", "portal", "portal", "peer"]
    assert ratio(found["portal"], found["peer"]) == (3, 3, 3)


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    assert ratio([10, 20, 90], [10, 10, 10]) == Ratio(2, 1, 9)
