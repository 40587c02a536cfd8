"""The schema of POST /hub/graphql/: accounts, users, roles, data routing, and what is wrong."""

from __future__ import annotations

import graphene

from accounts.schema.mutations import HubMutation
from accounts.schema.queries import HubQuery
from alerts.schema.incidents import IncidentQueries
from alerts.schema.schedules import ScheduleMutations, ScheduleQueries


class Query(IncidentQueries, ScheduleQueries, HubQuery):
    """What the hub endpoint answers."""


class Mutation(ScheduleMutations, HubMutation):
    """What the hub endpoint changes."""


schema = graphene.Schema(query=Query, mutation=Mutation)
