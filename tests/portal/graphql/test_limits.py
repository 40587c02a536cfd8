"""What is too large is refused with the limit and its value, before GraphQL's validation and before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from graphql import get_introspection_query, parse

from common.graphql import documents
from common.graphql.limits import Limits, check_document
from tests.base import Answer
from tests.portal.graphql import toy
from tests.portal.graphql.conftest import Ask

CONTRACT_DOCUMENTS = sorted((Path(__file__).parents[2] / "contract" / "documents").glob("*.graphql"))


@pytest.fixture(autouse=True)
def _no_validation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document over a limit must not reach the validation, whose cost the limits are there to bound."""
    if "refused" in request.node.name:
        monkeypatch.setattr(documents, "validate", pytest.fail)


def assert_refused(answer: Answer, *words: str) -> None:
    assert answer.refused(400)
    assert "data" not in answer.body
    assert all(word in answer.message for word in words), answer.message
    assert toy.renamed == []


def nested(depth: int) -> str:
    """A query whose innermost field stands on that level."""
    return "{" + "shop {" * (depth - 1) + "id" + "}" * depth


def doubling(levels: int, selection: str) -> str:
    """A bomb: every fragment spreads the next one twice, so that the last one counts 2 ** levels times."""
    fragments = [f"fragment F{n} on Shop {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "{ shop { ...F0 } }" + "".join(fragments) + f"fragment F{levels} on Shop {{ {selection} }}"


def test_body_at_the_limit_is_read(robot: Client, settings: Any) -> None:
    body = json.dumps({"query": "{ hello }"})
    settings.GRAPHQL_MAX_BODY_BYTES = len(body)

    assert robot.post(toy.URL, body, content_type="application/json").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_larger_body_is_refused(robot: Client, settings: Any, method: str) -> None:
    settings.GRAPHQL_MAX_BODY_BYTES = 50
    document = "{ hello } #" + "x" * 50

    response = (
        robot.get(toy.URL, {"query": document})
        if method == "GET"
        else robot.post(toy.URL, {"query": document}, content_type="application/json")
    )

    assert response.status_code == 400
    assert "limit is 50 bytes" in response.json()["errors"][0]["message"]


def test_document_at_the_limit_passes(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DOCUMENT_LENGTH = len("{ hello }")

    assert ask("{ hello }").status == 200


def test_longer_documents_are_refused(ask: Ask, settings: Any) -> None:
    """However few tokens they have: names, strings and comments are read character by character."""
    settings.GRAPHQL_MAX_DOCUMENT_LENGTH = len("{ hello }")

    assert_refused(ask("{ hello } "), "9")


def test_tokens_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_TOKENS = 4

    assert ask("{ a: hello }").status == 400  # five tokens
    assert ask("{ hello nothing }").status == 200


def test_more_tokens_are_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_TOKENS = 4

    assert_refused(ask("{ a: hello }"), "tokens", "4")
    assert_refused(ask("{ hello }" + "#\n" * 5), "comments", "4")
    assert_refused(ask("{ hello " + "x " * 9_000), "tokens", "4")


def test_depth_at_the_limit_passes(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DEPTH = 4

    assert ask(nested(4)).status == 200


@pytest.mark.parametrize("depth", [5, 199, 201, 333])
def test_deeper_documents_are_refused(ask: Ask, settings: Any, depth: int) -> None:
    settings.GRAPHQL_MAX_DEPTH = 4

    assert_refused(ask(nested(depth)), "nested too deeply", "4 levels")


def test_depth_through_fragments_is_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DEPTH = 4
    fragments = "".join(f"fragment F{n} on Shop {{ ... {{ shop {{ ...F{n + 1} }} }} }}" for n in range(3))

    assert_refused(ask("{ shop { ...F0 } }" + fragments + "fragment F3 on Shop { id }"), "4 levels")


def test_chain_of_fragments_beyond_the_stack_is_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_TOKENS = settings.GRAPHQL_MAX_DOCUMENT_LENGTH = 100_000
    chain = "".join(f"fragment F{n} on Shop {{ shop {{ ...F{n + 1} }} }}" for n in range(1500))

    assert_refused(ask("{ shop { ...F0 } }" + chain + "fragment F1500 on Shop { id }"), "nested too deeply")


def test_aliases_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_ALIASES = 2

    assert ask("{ a: hello b: hello hello }").status == 200


def test_more_aliases_are_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_ALIASES = 2

    assert_refused(ask("{ a: hello b: hello c: hello }"), "aliases", "limit is 2")
    assert_refused(ask('mutation { a: rename(name: "x") b: rename(name: "y") c: rename(name: "z") }'), "aliases")


def test_aliases_behind_fragments_are_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_ALIASES = 2

    assert_refused(ask("{ shop { ...f shop { ...f } shops { ...f } } } fragment f on Shop { a: id }"), "aliases")


def test_more_fields_are_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_FIELDS = 3

    assert_refused(ask("{ shop { id id id } }"), "fields", "limit is 3")


def test_fields_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_FIELDS = 3

    assert ask("{ shop { id name } }").status == 200


def test_duplicates_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DUPLICATES = 2

    assert ask("{ shop { id id } a: shop { id } hello hello }").status == 200


@pytest.mark.parametrize(
    "document",
    [
        "{ hello hello hello hello }",
        "{ shop { id } shop { id } shop { name } }",
        "{ hello ... { hello ... { hello } } ...f } fragment f on Query { hello }",
        "{ shop { ...f id } shop { ...g } } fragment f on Shop { ...g name } fragment g on Shop { id name }",
        "{ hello } fragment f on Query { hello hello hello hello }",
    ],
)
def test_more_duplicates_are_refused(ask: Ask, settings: Any, document: str) -> None:
    settings.GRAPHQL_MAX_DUPLICATES = 2

    assert_refused(ask(document), "again too often", "limit is 2")


def test_a_fragment_that_is_spread_twice_at_one_place_is_no_duplicate(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DUPLICATES = 0

    assert ask("{ shop { ...f ...f } } fragment f on Shop { id }").status == 200


@pytest.mark.parametrize(
    ("selection", "what"), [("id", "fields"), ("a: id", "fields"), ("... @include(if: true) { id }", "fields")]
)
def test_bombs_of_fragments_are_refused(ask: Ask, selection: str, what: str) -> None:
    assert_refused(ask(doubling(60, selection)), what)


def test_directives_behind_a_bomb_are_refused(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_FIELDS = 2**62

    assert_refused(ask(doubling(60, "id @skip(if: false)")), "directives", "20")


def test_each_fragment_is_measured_once() -> None:
    """2 ** 100 fields, reached in a thousand ways: a walk along every path would not end."""
    document = parse(doubling(100, "id") + "".join(f"fragment G{n} on Shop {{ ...F0 }}" for n in range(1000)))
    limits = Limits.current()._replace(depth=10**6, fields=2**101 * 1000)

    check_document(document, limits)


@pytest.mark.parametrize(
    "document",
    [
        "{ shop { ...a } } fragment a on Shop { ...a }",
        "{ shop { ...a } } fragment a on Shop { shop { ...b } } fragment b on Shop { shop { ...a } }",
        "{ hello } fragment a on Shop { id ...a ...a }",
    ],
)
def test_circles_of_fragments_end(ask: Ask, document: str) -> None:
    answer = ask(document)

    assert answer.refused(400)
    assert "within itself" in " ".join(error["message"] for error in answer.errors)


def test_a_fragment_that_nothing_uses_is_refused_as_well(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_FIELDS = 3

    assert_refused(ask("{ hello } fragment f on Shop { id id id id }"), "fields")


def test_directives_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DIRECTIVES = 1

    assert ask("{ hello @skip(if: false) }").status == 200


@pytest.mark.parametrize(
    "document",
    [
        "{ hello @skip(if: false) @include(if: true) }",
        "{ hello " + "@skip(if: false)" * 100 + "}",
        "query @a @b { hello }",
        "query($x: Int @a @b) { hello }",
        "{ ... @skip(if: false) { hello @skip(if: false) } }",
        "{ ...f @skip(if: false) } fragment f on Query @a { hello }",
    ],
)
def test_more_directives_are_refused(ask: Ask, settings: Any, document: str) -> None:
    settings.GRAPHQL_MAX_DIRECTIVES = 1

    assert_refused(ask(document), "directives", "limit is 1")


def test_lists_at_the_limit_pass(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_LIST_LENGTH = 2

    assert ask("query($a: [ID!]) { byIds(ids: $a) x: byIds(ids: [1, 2]) }", {"a": ["1", "2"]}).status == 200


@pytest.mark.parametrize(
    "document",
    [
        "{ byIds(ids: [1, 2, 3]) }",
        "{ box(box: {inner: {ids: [1, 2, 3]}}) }",
        "{ byIds(ids: [[[1, 2, 3]]]) }",
        "query($ids: [ID!] = [1, 2, 3]) { byIds(ids: $ids) }",
        "{ hello @skip(ids: [1, 2, 3]) }",
    ],
)
def test_longer_lists_in_the_document_are_refused(ask: Ask, settings: Any, document: str) -> None:
    settings.GRAPHQL_MAX_LIST_LENGTH = 2

    assert_refused(ask(document), "ids: must be a list of at most 2 items.")


@pytest.mark.parametrize(
    "variables",
    [
        {"ids": [1, 2, 3]},
        {"box": {"inner": {"ids": ["1", "2", "3"]}}},
        {"boxes": [{"ids": [[1, 2, 3]]}]},
        {"not": "declared", "ids": [None] * 3},
    ],
)
def test_longer_lists_in_the_variables_are_refused(ask: Ask, settings: Any, variables: dict[str, Any]) -> None:
    settings.GRAPHQL_MAX_LIST_LENGTH = 2

    answer = ask("{ hello }", variables)

    assert_refused(answer, "ids: must be a list of at most 2 items.")
    assert answer.errors[0]["extensions"]["field"] == "ids"


# --- What must pass ---------------------------------------------------------------------------------------------------


def test_the_standard_introspection_passes_the_default_limits(ask: Ask) -> None:
    answer = ask(
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
            input_object_one_of=True,
        )
    )

    assert answer.status == 200
    assert answer.data["__schema"]["queryType"]["name"] == "Query"


def test_types_may_be_unwrapped_15_times_and_not_without_end(ask: Ask) -> None:
    document = "{ __schema { types { fields { args { type { %s name %s } } } } } }"

    assert ask(document % ("ofType { " * 15, "}" * 15)).status == 200
    assert_refused(ask(document % ("ofType { name " * 21, "}" * 21)), "nested too deeply")


def test_unwrapping_does_not_hide_how_deep_the_rest_is(ask: Ask, settings: Any) -> None:
    settings.GRAPHQL_MAX_DEPTH = 5

    document = "{ __schema { types { fields { type { ofType { %s } } } } } }"

    assert ask(document % "name").status == 200
    assert_refused(ask(document % "fields { name }"), "nested too deeply")


@pytest.mark.parametrize("path", CONTRACT_DOCUMENTS, ids=lambda path: path.stem)
def test_the_documents_of_the_reference_pass_the_default_limits(path: Path) -> None:
    check_document(parse(path.read_text(encoding="utf-8")), Limits.current())


def test_there_are_documents_of_the_reference() -> None:
    assert CONTRACT_DOCUMENTS


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ __schema { types { ...t } } } fragment t on __Type { fields { type { interfaces { fields { name } } } } }",
        '{ __type(name: "Shop") { fields { type { fields { type { fields { name } } } } } } }',
        "{ __schema { types {" + "fields { type {" * 20 + "name" + "} }" * 20 + "} } }",
    ],
)
def test_introspection_that_runs_in_circles_ends(ask: Ask, document: str) -> None:
    assert ask(document).refused(400)
