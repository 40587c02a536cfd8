"""An advertiser's filter: what browsers can read is taken, nothing else, and none of it runs here."""

from __future__ import annotations

import pytest

from common.errors import InvalidInput
from pipelines.data_filters import clean_filter, expression_of


@pytest.mark.parametrize(
    "source",
    [
        "",
        "function (event) { return {shouldDrop: false, updatedEventObject: event} }",
        "function filter(event) {\n  return event;\n};\n",
        "async event => ({shouldDrop: event?.customData?.value ?? 0 > 100})",
        "// Of test orders.\nevent => event // nothing else",
        "({eventName, ...rest}) => `${eventName}`",
        # It is compiled and not called: were it, the check would never end.
        "(() => { while (true); })()",
    ],
)
def test_a_function_is_taken(source: str) -> None:
    assert clean_filter("customIntegrityScript", source) == source


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("function (event) {\n  return event;", 3),
        ("event => {\n  let a;\n  let a;\n}", 3),
        ("event => event\nother => other", 2),
        ("const filter = event => event", 1),
        ("1); alert(1); (2", 1),
        ("1]; alert(1); [2", 1),
        ("event => /(/", 1),
        ("<script>", 1),
        ("(" * 20_000, 1),
    ],
)
def test_what_is_no_expression_is_refused_with_its_line(source: str, line: int) -> None:
    with pytest.raises(InvalidInput, match=f"From line {line} on: ") as refused:
        clean_filter("customIntegrityScript", source)

    assert refused.value.field == "customIntegrityScript"


def test_a_semicolon_at_the_end_is_no_part_of_it() -> None:
    assert expression_of(" event => event ;\n;") == "event => event"
