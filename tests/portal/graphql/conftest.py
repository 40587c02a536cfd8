"""The view at ``/toy/``, and callers who are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from common.graphql.documents import forget_documents
from tests.base import Answer, bearer, client_of, graphql
from tests.factories import ApiAccountFactory
from tests.portal.graphql import toy

#: Sends a document with variables as an API account.
Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _toy(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.portal.graphql.toy"
    forget_documents()
    toy.selections.clear()
    toy.renamed.clear()
    yield
    forget_documents()


@pytest.fixture
def token(db: None) -> str:
    """A valid token of the API account Robot."""
    return bearer(ApiAccountFactory.create(name="Robot"))


@pytest.fixture
def robot(token: str) -> Client:
    """A client that sends the token."""
    return client_of(token)


@pytest.fixture
def ask(robot: Client) -> Ask:
    """Ask the toy schema as Robot."""

    def ask(document: str, variables: dict[str, Any] | None = None, **headers: str) -> Answer:
        return graphql(robot, toy.URL, document, variables, **headers)

    return ask
