"""A document is parsed and validated once, and the cache of documents stays small."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import graphene
import pytest
from graphql import DocumentNode, parse

from common.graphql import documents
from common.graphql.documents import prepare_document
from common.graphql.errors import RequestError
from tests.portal.graphql.conftest import Ask
from tests.portal.graphql.toy import schema as toy_schema

SCHEMA = toy_schema.graphql_schema


class Other(graphene.ObjectType):
    """A schema with one field of the toy's."""

    hello = graphene.String()


OTHER = graphene.Schema(query=Other).graphql_schema


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed, in order."""
    sources: list[str] = []

    def counting(source: str, **options: Any) -> DocumentNode:
        sources.append(source)
        return parse(source, **options)

    monkeypatch.setattr(documents, "parse", counting)
    return sources


@pytest.fixture
def small_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with room for some ten tiny documents."""
    monkeypatch.setattr(documents, "_cache", documents._cache_of(1))


def test_a_document_that_comes_again_is_not_parsed_again(ask: Ask, parsed: list[str]) -> None:
    document = "query($name: String) { hello(name: $name) }"

    assert ask(document, {"name": "Ada"}).data == {"hello": "Hello Ada"}
    assert ask(document, {"name": "Max"}).data == {"hello": "Hello Max"}
    assert parsed == [document]


def test_a_document_is_prepared_for_each_schema(parsed: list[str]) -> None:
    assert prepare_document(SCHEMA, "{ hello }").schema is SCHEMA
    assert prepare_document(OTHER, "{ hello }").schema is OTHER
    assert len(parsed) == 2
    prepare_document(SCHEMA, "{ shop { id } }")
    with pytest.raises(RequestError, match="Cannot query field 'shop'"):
        prepare_document(OTHER, "{ shop { id } }")


def test_a_document_that_is_refused_is_not_kept(parsed: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(RequestError):
            prepare_document(SCHEMA, "{ unknown }")

    assert len(parsed) == 2


def test_new_limits_hold_for_documents_that_are_known(ask: Ask, settings: Any) -> None:
    assert ask("{ shop { id } }").status == 200
    settings.GRAPHQL_MAX_DEPTH = 1

    assert ask("{ shop { id } }").refused(400)


def test_the_document_that_was_used_last_stays(small_cache: None, parsed: list[str]) -> None:
    prepare_document(SCHEMA, "{ hello }")
    for n in range(200):
        prepare_document(SCHEMA, f"{{ a{n}: hello }}")
        prepare_document(SCHEMA, "{ hello }")

    assert parsed.count("{ hello }") == 1
    prepare_document(SCHEMA, "{ a0: hello }")
    assert parsed.count("{ a0: hello }") == 2


@pytest.mark.parametrize("filler", ["hello " * 57, "hello #" + "x" * 11_600])
def test_large_documents_push_out_more_than_small_ones(small_cache: None, parsed: list[str], filler: str) -> None:
    prepare_document(SCHEMA, "{ hello }")

    prepare_document(SCHEMA, f"{{ {filler}\n }}")
    prepare_document(SCHEMA, "{ hello }")

    assert parsed.count("{ hello }") == 2


def test_a_document_that_is_larger_than_the_cache_pushes_out_none(small_cache: None, parsed: list[str]) -> None:
    large = f"{{ {'hello ' * 150} }}"
    prepare_document(SCHEMA, "{ hello }")

    assert prepare_document(SCHEMA, large).execute(None, {}, None).data == {"hello": "Hello world"}
    prepare_document(SCHEMA, "{ hello }")
    prepare_document(SCHEMA, large)

    assert parsed == ["{ hello }", large, large]


def test_many_threads_share_the_cache(small_cache: None) -> None:
    sources = [f"{{ a{n % 40}: hello }}" for n in range(800)]

    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(lambda source: prepare_document(SCHEMA, source), sources))

    for source, one in zip(sources, prepared, strict=True):
        assert one.execute(None, {}, None).data == {source.split(":")[0].strip("{ "): "Hello world"}
