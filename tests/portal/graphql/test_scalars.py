"""``Long``, a whole number of 64 bits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal.graphql.conftest import Ask

MIN, MAX = -(2**63), 2**63 - 1


@pytest.mark.parametrize("number", [0, -1, 2**31, MIN, MAX])
def test_64_bits_go_in_and_out_as_a_number(ask: Ask, number: int) -> None:
    assert ask("query($n: Long) { long(value: $n) }", {"n": number}).data == {"long": number}
    assert ask(f"{{ long(value: {number}) }}").data == {"long": number}


def test_a_whole_float_is_a_whole_number(ask: Ask) -> None:
    assert ask("query($n: Long) { long(value: $n) }", {"n": 5.0}).data == {"long": 5}


@pytest.mark.parametrize("value", [MIN - 1, MAX + 1, 1.5, 1e300, "5", True, [5], {}])
def test_other_values_are_refused(ask: Ask, value: Any) -> None:
    answer = ask("query($n: Long) { long(value: $n) }", {"n": value})

    assert answer.refused(400)
    assert "Long must be a whole number" in answer.message


@pytest.mark.parametrize("literal", [str(MIN - 1), str(MAX + 1), "1.5", '"5"', "true", "FIVE", "[5]", "1" * 5000])
def test_other_literals_are_refused(ask: Ask, literal: str) -> None:
    assert ask(f"{{ long(value: {literal}) }}").refused(400)


def test_a_result_beyond_64_bits_is_our_fault(ask: Ask) -> None:
    assert ask("{ tooLong }").refused(500)
