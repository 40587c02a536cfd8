"""What resolvers know of the request."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import GraphQLResolveInfo

from accounts.principals import Principal


@dataclass(slots=True)
class SignedIn:
    """The resolvers' context: the caller that the view has signed in."""

    principal: Principal


def principal_of(info: GraphQLResolveInfo) -> Principal:
    """Who calls; the view executes nothing for a caller that it does not know."""
    context: SignedIn = info.context
    return context.principal
