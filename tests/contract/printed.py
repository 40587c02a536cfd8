"""The documents that the published reference prints, with the printed variables and answers.

Each operation has two documents, both kept to the letter: ``<name>.schema.graphql``, which asks for everything, and
``<name>.sample.graphql``. ``<name>.json`` holds the sample's variables and answer. A schema document has none of its
own, so it shares the sample's. The printed answers are not all well-formed JSON (commas and braces are missing) and
some hold fields that the sample does not ask for; what counts is the fields asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from accounts.models import RoleLevel
from tests.base import CAPIG, HUB, person, tenant
from tests.factories import PixelFactory

FOLDER = Path(__file__).parent / "documents"
PIXEL_ID = "18904456377094531"
KINDS = ("schema", "sample")


@dataclass(frozen=True)
class Printed:
    """One operation of the reference; ``prepare`` makes an instance in which the printed ids exist."""

    name: str
    endpoint: str
    prepare: Callable[[], object]

    def document(self, kind: str) -> str:
        """The document of that kind, unmodified."""
        return (FOLDER / f"{self.name}.{kind}.graphql").read_text(encoding="utf-8")

    @property
    def variables(self) -> dict[str, Any]:
        """The printed variables."""
        return dict(self._sample["variables"])

    @property
    def data(self) -> dict[str, Any]:
        """The printed answer's data."""
        return dict(self._sample["answer"]["data"])

    @property
    def _sample(self) -> dict[str, Any]:
        return dict(json.loads((FOLDER / f"{self.name}.json").read_text(encoding="utf-8")))


def _nothing() -> None:
    """The operation starts from an empty instance."""


def _account_with_temporary_user() -> None:
    account = tenant("Test Account", pk="wW58k7FQ")
    user = person("tempuser", account, RoleLevel.MANAGE, pk="992bc489-a799-4374-8933-0109eed60e3d", domain="test.com")
    assert user.email == "tempuser@test.com"


def _account(name: str = "Test Account", tenant_id: str = "IaoreXfj") -> None:
    tenant(name, pk=tenant_id)


def _account_with_pixel() -> None:
    PixelFactory.create(tenant=tenant("Test Account", pk="IaoreXfj"), pixel_id=PIXEL_ID)


def _account_with_three_of_four_pixels_active() -> None:
    account = tenant("Test Account", pk="IaoreXfj")
    PixelFactory.create_batch(3, tenant=account)
    PixelFactory.create(tenant=account, publishing_enabled=False)


REFERENCE = [
    Printed("create_account", HUB, _nothing),
    Printed("get_account", HUB, _account_with_temporary_user),
    Printed("update_account", HUB, _account),
    Printed("delete_account", HUB, partial(_account, tenant_id="Tse53QtW")),
    Printed("account_usage", HUB, _account_with_three_of_four_pixels_active),
    Printed("create_pixel_connection", CAPIG, _account),
    Printed("delete_pixel_connection", CAPIG, _account_with_pixel),
    Printed("switch_receiving", CAPIG, _account_with_pixel),
    Printed("switch_publishing", CAPIG, _account_with_pixel),
    Printed("event_filter", CAPIG, _account_with_pixel),
    Printed("domain_filter", CAPIG, _account_with_pixel),
]
