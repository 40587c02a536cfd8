"""The portal's service behind graphene-django as its documentation shows it: a Mutation class and GraphQLView.

It runs on the portal's settings, but without its middleware, sign-in and limits.
"""

from __future__ import annotations

from typing import Any

import graphene
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from graphene_django.views import GraphQLView

application = get_wsgi_application()

from accounts.principals import OPERATOR  # noqa: E402  # when Django is ready
from filters.services import update_event_filter  # noqa: E402


class FilterState(graphene.Enum):
    """What happens to the events of a name."""

    PUBLISH = "PUBLISH"
    DROP = "DROP"


class EventFilter(graphene.ObjectType):
    """Publishes or drops the events of one name."""

    id = graphene.ID(required=True)
    event_name = graphene.String(required=True)
    pixel_id = graphene.String()
    filter_state = graphene.String(required=True)

    def resolve_event_name(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.name)

    def resolve_filter_state(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.state.value)


class UpdateEventFilterInput(graphene.InputObjectType):
    """The filter to set."""

    event_name = graphene.String(required=True)
    pixel_ids = graphene.List(graphene.NonNull(graphene.String))
    filter_state = graphene.Field(FilterState, required=True)


class UpdateEventFilter(graphene.Mutation):
    """Sets a filter."""

    class Arguments:
        tenant_id = graphene.ID(required=True)
        input = UpdateEventFilterInput(required=True)

    updated_filter = graphene.Field(EventFilter)

    def mutate(root: Any, info: graphene.ResolveInfo, tenant_id: str, input: Any) -> UpdateEventFilter:  # noqa: N805  # there is no instance
        updated = update_event_filter(
            principal=OPERATOR,
            tenant_id=tenant_id,
            event_name=input["event_name"],
            state=input["filter_state"].value,
            pixel_ids=input.get("pixel_ids"),
        )
        return UpdateEventFilter(updated_filter=updated)


class Mutation(graphene.ObjectType):
    """What can be changed."""

    update_event_filter = UpdateEventFilter.Field()


class Query(graphene.ObjectType):
    """Nothing can be asked; a schema must have a query."""

    nothing = graphene.String()


schema = graphene.Schema(query=Query, mutation=Mutation)
urlpatterns = [path("graphql/", csrf_exempt(GraphQLView.as_view(schema=schema)))]
