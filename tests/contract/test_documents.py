"""The 22 documents of the reference run unmodified and answer as printed."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode, parse

from accounts.models import ApiAccount
from accounts.models.tenant import ID_PATTERN
from tests.base import graphql
from tests.contract.printed import FOLDER, KINDS, REFERENCE, Printed
from tests.factories import ApiAccountFactory

#: The one printed value that an instance makes up itself.
GENERATED_ID = "hU2koC34"


@pytest.fixture
def robot(db: None) -> ApiAccount:
    return ApiAccountFactory.create(name="Robot")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("printed", REFERENCE, ids=lambda printed: printed.name)
def test_a_printed_document_gets_the_printed_answer(robot: ApiAccount, printed: Printed, kind: str) -> None:
    printed.prepare()

    answer = graphql(robot, printed.endpoint, printed.document(kind), printed.variables)

    assert (answer.status, answer.errors) == (200, [])
    asked = _selection(printed.document(kind))
    _assert_complete(asked, answer.data)
    _assert_as_printed(asked, printed.data, answer.data)


def test_all_22_documents_are_here() -> None:
    assert len(list(FOLDER.glob("*.graphql"))) == 22 == len(REFERENCE) * len(KINDS)


def _selection(document: str) -> SelectionSetNode:
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.selection_set


def _fields(selection: SelectionSetNode) -> dict[str, SelectionSetNode | None]:
    assert not any(isinstance(node, FragmentSpreadNode) for node in selection.selections)
    return {node.name.value: node.selection_set for node in selection.selections if isinstance(node, FieldNode)}


def _assert_complete(selection: SelectionSetNode | None, got: Any) -> None:
    """Every field asked for is there, and no other."""
    if isinstance(got, list):
        for item in got:
            _assert_complete(selection, item)
    elif selection is not None:
        fields = _fields(selection)
        assert set(got) == set(fields)
        for name, inner in fields.items():
            _assert_complete(inner, got[name])


def _assert_as_printed(selection: SelectionSetNode | None, printed: Any, got: Any) -> None:
    """Every printed value that was asked for is there, with its type: 0.0 is not 0."""
    if isinstance(printed, list):
        assert len(printed) == len(got)
        for printed_item, item in zip(printed, got, strict=True):
            _assert_as_printed(selection, printed_item, item)
    elif selection is not None:
        for name, inner in _fields(selection).items():
            if name in printed:
                _assert_as_printed(inner, printed[name], got[name])
    elif printed == GENERATED_ID:
        assert ID_PATTERN.fullmatch(got)
    else:
        assert (type(got), got) == (type(printed), printed)
