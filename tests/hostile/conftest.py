"""Who attacks: software that has signed in. The limits hold for it as well."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.base import client_of
from tests.factories import ApiAccountFactory


@pytest.fixture
def robot(db: None) -> Client:
    """An API account's client."""
    return client_of(ApiAccountFactory.create())
