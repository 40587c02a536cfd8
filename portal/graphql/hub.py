"""The schema of POST /hub/graphql/: accounts, users, roles, data routing."""

from __future__ import annotations

import graphene

from accounts.schema.mutations import HubMutation
from accounts.schema.queries import HubQuery

schema = graphene.Schema(query=HubQuery, mutation=HubMutation)
