"""A document for every operation about pipelines, sources and destinations; ``tests/operations.py`` has the others."""

from __future__ import annotations

ASSOCIATED = "associatedPipelines { id name type }"
FILTER = "{ filterStatus blockedEventTypes }"
DESTINATION_FILTER = "{ id destinationId destinationFilterStatus destinationFilterBlockedEventTypes }"
SOURCE = f"{{ id name type active {ASSOCIATED} }}"
DESTINATION = f"{{ id name type active {ASSOCIATED} }}"
PIPELINE = f"""{{
  id name active type
  dataSources {SOURCE}
  dataDestinations {{ id name type active {ASSOCIATED} metaCAPIConfig {{ dataSetId }} }}
  dataFilter {FILTER}
  pipelineDestinationFilters {DESTINATION_FILTER}
}}"""
SCRIPT = """{
  id name enabledStatus plugins aamFields enableContactDataHash customIntegrityScript
  estRuleGroups { id } iwlParameters { id } creationSourcePlatform creationSourceId
}"""


def _query(operation: str, arguments: str = "") -> str:
    return f"query($tenantId: ID!{arguments}) {{ tenantQueries(tenantId: $tenantId) {{ {operation} }} }}"


def _mutation(group: str, arguments: str, operation: str) -> str:
    account = "tenantMutations(tenantId: $tenantId)"
    return f"mutation($tenantId: ID!, {arguments}) {{ {account} {{ {group} {{ {operation} }} }} }}"


def _pipelines(arguments: str, operation: str) -> str:
    return _mutation("dataPipelineMutations", arguments, operation)


def _sources(arguments: str, operation: str) -> str:
    return _mutation("dataSourceMutations", arguments, operation)


def _destinations(kind: str, operation: str, answer: str = "") -> str:
    return _mutation("dataDestinationMutations", f"$input: {kind}!", f"{operation}(input: $input) {answer}")


DOCUMENTS = {
    "pipeline": _query(f"pipeline(id: $id) {PIPELINE}", ", $id: ID!"),
    "pipelines": _query(f"pipelines {PIPELINE}"),
    "dataSourcesQuery": _query(f"dataSourcesQuery {SOURCE}"),
    "dataDestinationsQuery": _query(f"dataDestinationsQuery {DESTINATION}"),
    "createPipeline": _pipelines("$name: String!", f"createPipeline(name: $name) {PIPELINE}"),
    "createConversionApiGatewayPipeline": _pipelines(
        "$pipelineName: String, $pixelId: ID!, $businessId: String!, $accessToken: String!, $apiVersion: String, "
        "$externalId: String!, $createOB: Boolean",
        f"""createConversionApiGatewayPipeline(
          pipelineName: $pipelineName, pixelId: $pixelId, businessId: $businessId, accessToken: $accessToken,
          apiVersion: $apiVersion, externalId: $externalId, createOB: $createOB
        ) {PIPELINE}""",
    ),
    "updatePipeline": _pipelines("$input: PipelineInput!", f"updatePipeline(input: $input) {PIPELINE}"),
    "deletePipeline": _pipelines("$id: ID!", "deletePipeline(id: $id)"),
    "updatePipelineFilter": _pipelines("$input: PipelineFilterInput!", f"updatePipelineFilter(input: $input) {FILTER}"),
    "updatePipelineDestinationFilter": _pipelines(
        "$input: PipelineDestinationFilterInput!",
        f"updatePipelineDestinationFilter(input: $input) {DESTINATION_FILTER}",
    ),
    "createDataSourceForPipeline": _sources(
        "$dataSourceId: ID, $name: String!, $dataSourceType: DataSourceType!, $pipelineId: ID!",
        f"""createDataSourceForPipeline(
          dataSourceId: $dataSourceId, name: $name, dataSourceType: $dataSourceType, pipelineId: $pipelineId
        ) {SOURCE}""",
    ),
    "updateDataSource": _sources("$input: DataSourceInput!", f"updateDataSource(input: $input) {SOURCE}"),
    "dataSourceMutations-deleteDataSource": _sources("$id: ID!", "deleteDataSource(id: $id)"),
    "createGatewayPixelHeaderCode": _sources(
        "$dataSourceId: ID!", "createGatewayPixelHeaderCode(dataSourceId: $dataSourceId)"
    ),
    "updateGatewayPixelConfig": _sources(
        "$pixelId: String!, $config: GatewayPixelConfigurationInput",
        f"updateGatewayPixelConfig(pixelId: $pixelId, config: $config) {SCRIPT}",
    ),
    "createDataDestination": _destinations("CreateDataDestinationInput", "createDataDestination", DESTINATION),
    "updateDataDestination": _destinations("DataDestinationInput", "updateDataDestination", DESTINATION),
    "deleteDataDestination": _mutation("dataDestinationMutations", "$id: ID!", "deleteDataDestination(id: $id)"),
    "updateDataDestinationCapiConfig": _destinations(
        "UpdateDataDestinationCapiConfigInput", "updateDataDestinationCapiConfig"
    ),
    "updateDataDestinationHttpConfig": _destinations(
        "UpdateDataDestinationHttpConfigInput", "updateDataDestinationHttpConfig"
    ),
}
