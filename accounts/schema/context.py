"""What resolvers know of the request."""

from __future__ import annotations

from django.http import HttpRequest
from graphql import GraphQLResolveInfo

from accounts.principals import Principal


class SignedInRequest(HttpRequest):
    """The resolvers' context: the request, with the caller that the view has signed in."""

    principal: Principal


def principal_of(info: GraphQLResolveInfo) -> Principal:
    """Who calls; the view executes nothing for a caller that it does not know."""
    request: SignedInRequest = info.context
    return request.principal
