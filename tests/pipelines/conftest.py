"""An account's pipelines through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.base import Answer, Caller, Cast, client_of
from tests.operations import run


class Api:
    """The capig API as one caller, in one account."""

    def __init__(self, caller: Caller, tenant_id: str) -> None:
        self.client = client_of(caller)  # signed in once: that leaves a trace
        self.tenant_id = tenant_id

    def ask(self, operation: str, **variables: Any) -> Answer:
        """The whole answer."""
        return run(self.client, operation, tenantId=self.tenant_id, **variables)

    def get(self, operation: str, **variables: Any) -> Any:
        """What the operation answers where it is not refused."""
        answer = self.ask(operation, **variables)
        assert answer.errors == [], answer.body
        found: Any = answer.data
        while isinstance(found, dict) and operation.rpartition("-")[2] not in found:
            (found,) = found.values()
        return found[operation.rpartition("-")[2]]

    def refusal(self, operation: str, **variables: Any) -> tuple[int, str]:
        """The code and the words of a refusal."""
        answer = self.ask(operation, **variables)
        assert answer.errors, answer.body
        return answer.errors[0]["extensions"]["code"], answer.message

    def pipeline(self, name: str = "Shop") -> str:
        """The id of a new pipeline."""
        return str(self.get("createPipeline", name=name)["id"])

    def source(self, pipeline_id: str, **given: Any) -> str:
        """The id of a new source in the pipeline."""
        given = {"name": "Website", "dataSourceType": "ADVERTISER_HOSTED_PIXEL", **given}
        return str(self.get("createDataSourceForPipeline", pipelineId=pipeline_id, **given)["id"])

    def destination(self, pipeline_id: str, kind: str = "CUSTOM_HTTP_API") -> str:
        """The id of a new destination of the pipeline."""
        given = {"name": "Warehouse", "type": kind, "pipelineId": pipeline_id}
        return str(self.get("createDataDestination", input=given)["id"])


@pytest.fixture
def api(cast: Cast) -> Api:
    """The API as the manager of Shoes calls it."""
    return Api(cast.max, cast.shoes.pk)
