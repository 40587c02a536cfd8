"""The guide's GraphQL is what the endpoint takes."""

from __future__ import annotations

import re

import pytest
from graphql import parse, validate

from common.env import ROOT
from portal.graphql.capig import schema

DOCUMENTS = re.findall(r"```graphql\n(.*?)```", (ROOT / "docs" / "pipelines.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_of_the_guide_is_valid(document: str) -> None:
    assert validate(schema.graphql_schema, parse(document)) == []
