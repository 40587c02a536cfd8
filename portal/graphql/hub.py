"""The schema of POST /hub/graphql/: accounts, users, roles, data routing, and what is wrong."""

from __future__ import annotations

import graphene

from accounts.schema.mutations import HubMutation
from accounts.schema.queries import HubQuery
from alerts.schema import IncidentQueries


class Query(IncidentQueries, HubQuery):
    """What the hub endpoint answers."""


schema = graphene.Schema(query=Query, mutation=HubMutation)
