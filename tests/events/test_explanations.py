"""What Meta's error codes mean, in words."""

from __future__ import annotations

import pytest

from events.delivery.explanations import explain


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (["190", "190.460", "102"], "no longer valid"),
        (["10", "200", "200.1", "299"], "lacks permission"),
        (["100", "100.2804003"], "refused an event's content"),
        (["1", "2", "2.1"], "passing fault"),
        (["4", "17", "341", "368", "80000", "80004.2446079"], "limits the rate"),
        (["803", "2500", "100.33"], "does not exist or is not visible"),
        (["413"], "too large"),
        (["2804030", "100.2804016"], "refused an event's content"),
        (["3", "300", "9999999", "-1", "x", "²", ".", "100.1487694"], "blames no event"),
        (["unreadable"], "cannot read"),
    ],
)
def test_error_codes_have_words(codes: list[str], words: str) -> None:
    assert all(words in explain(code) for code in codes)


def test_no_code_needs_no_words() -> None:
    assert explain("") == explain(None) == ""
