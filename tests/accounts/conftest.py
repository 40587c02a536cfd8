"""What the tests of people and tokens share."""

from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from tests.base import Cast

Commits = DjangoCaptureOnCommitCallbacks


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Commits) -> Commits:
    """By a name that fits into a line."""
    return django_capture_on_commit_callbacks


@pytest.fixture
def shop(cast: Cast) -> dict[str, str]:
    """What the API account Shop1 sends to sign in."""
    issued = create_api_account(principal=OPERATOR, name="Shop1")
    return {"grant_type": "client_credentials", "client_id": "Shop1", "client_secret": issued.secret}
