"""What the tests of tokens share."""

from __future__ import annotations

import pytest

from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from tests.base import Cast


@pytest.fixture
def shop(cast: Cast) -> dict[str, str]:
    """What the API account Shop1 sends to sign in."""
    issued = create_api_account(principal=OPERATOR, name="Shop1")
    return {"grant_type": "client_credentials", "client_id": "Shop1", "client_secret": issued.secret}
