"""A small schema behind the real view, at ``/toy/``, so that these tests are about the view alone."""

from __future__ import annotations

from typing import Any

import graphene
from django.db import connection
from django.urls import path
from graphql import GraphQLResolveInfo

from accounts.models import ApiAccount
from accounts.schema.context import principal_of
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound
from common.graphql.scalars import Long
from common.graphql.selection import Selection, selected
from common.statements import Param, Statement
from portal.graphql.view import PortalGraphQLView

URL = "/toy/"
#: What a resolver's failure must not tell anybody.
SECRET = "EAABsbCS1iHgBAfake"

#: What the resolver of ``shop`` was asked for, newest last.
selections: list[Selection] = []
#: What ``rename`` has done, so that a test sees that a refused document did nothing.
renamed: list[str] = []


#: A read model.
names = Statement(ApiAccount.objects.filter(name=Param("name")), "name")


class Size(graphene.Enum):
    """How large."""

    SMALL = 1
    LARGE = 2


class Box(graphene.InputObjectType):
    """An input object."""

    name = graphene.String(required=True)
    token = graphene.String()
    size = graphene.Field(Size)
    ids = graphene.List(graphene.NonNull(graphene.ID))
    inner = graphene.Field(lambda: Box)


class Shop(graphene.ObjectType):
    """Something with fields below it."""

    id = graphene.ID(required=True)
    name = graphene.String()
    shop = graphene.Field(lambda: Shop)
    shops = graphene.List(lambda: Shop)
    broken = graphene.String()
    hidden = graphene.String()
    needed = graphene.String(required=True)

    @staticmethod
    def resolve_id(root: Any, info: GraphQLResolveInfo) -> str:
        return "1"

    @staticmethod
    def resolve_shop(root: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
        return {}

    @staticmethod
    def resolve_shops(root: Any, info: GraphQLResolveInfo) -> list[dict[str, Any]]:
        return [{}, {}, {}]

    @staticmethod
    def resolve_broken(root: Any, info: GraphQLResolveInfo) -> str:
        raise RuntimeError(f"no connection with {SECRET}")

    @staticmethod
    def resolve_hidden(root: Any, info: GraphQLResolveInfo) -> str:
        raise NotAuthorized()


class Query(graphene.ObjectType):
    """What can be asked."""

    hello = graphene.String(name=graphene.String())
    nothing = graphene.String()
    none = graphene.List(graphene.String)
    caller = graphene.String()
    shop = graphene.Field(Shop)
    by_id = graphene.String(id=graphene.ID(required=True))
    by_text = graphene.String(text=graphene.String(required=True))
    by_ids = graphene.String(ids=graphene.List(graphene.NonNull(graphene.ID)))
    count = graphene.Int(first=graphene.Int(required=True, default_value=5))
    box = graphene.String(box=graphene.Argument(Box, required=True))
    long = graphene.Field(Long, value=Long())
    too_long = graphene.Field(Long)
    number = graphene.Int()
    unwritable = graphene.String()
    refused = graphene.String(code=graphene.Int(required=True))
    missing_table = graphene.String()
    rows = graphene.Int()
    name = graphene.String(of=graphene.String())

    @staticmethod
    def resolve_hello(root: None, info: GraphQLResolveInfo, name: str | None = None) -> str:
        return f"Hello {name or 'world'}"

    @staticmethod
    def resolve_none(root: None, info: GraphQLResolveInfo) -> list[str]:
        return []

    @staticmethod
    def resolve_caller(root: None, info: GraphQLResolveInfo) -> str:
        return principal_of(info).label

    @staticmethod
    def resolve_shop(root: None, info: GraphQLResolveInfo) -> dict[str, Any]:
        selections.append(selected(info))
        return {}

    @staticmethod
    def resolve_by_id(root: None, info: GraphQLResolveInfo, id: str) -> str:
        return repr(id)

    @staticmethod
    def resolve_by_text(root: None, info: GraphQLResolveInfo, text: str) -> str:
        return repr(text)

    @staticmethod
    def resolve_by_ids(root: None, info: GraphQLResolveInfo, ids: list[str] | None = None) -> str:
        return repr(ids)

    @staticmethod
    def resolve_count(root: None, info: GraphQLResolveInfo, first: int) -> int:
        return first

    @staticmethod
    def resolve_box(root: None, info: GraphQLResolveInfo, box: dict[str, Any]) -> str:
        return str(box["name"])

    @staticmethod
    def resolve_long(root: None, info: GraphQLResolveInfo, value: int = 2**40) -> int:
        return value

    @staticmethod
    def resolve_too_long(root: None, info: GraphQLResolveInfo) -> int:
        return 2**63

    @staticmethod
    def resolve_number(root: None, info: GraphQLResolveInfo) -> int:
        return 2**40  # more than an Int may hold

    @staticmethod
    def resolve_unwritable(root: None, info: GraphQLResolveInfo) -> str:
        return "\ud800"

    @staticmethod
    def resolve_refused(root: None, info: GraphQLResolveInfo, code: int) -> str:
        raise {
            400: InvalidInput("name", "must not be empty."),
            401: NotAuthorized(),
            404: NotFound("There is no such pixel."),
            409: Conflict("This person is in the account already."),
        }[code]

    @staticmethod
    def resolve_missing_table(root: None, info: GraphQLResolveInfo) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_table_that_is_not_there")
        return ""

    @staticmethod
    def resolve_rows(root: None, info: GraphQLResolveInfo) -> int:
        return ApiAccount.objects.count()

    @staticmethod
    def resolve_name(root: None, info: GraphQLResolveInfo, of: str = "Robot") -> str | None:
        found = names.one(principal_of(info).guard, name=of)
        return str(found[0]) if found else None


class Mutation(graphene.ObjectType):
    """What can be changed."""

    rename = graphene.String(name=graphene.String(required=True))

    @staticmethod
    def resolve_rename(root: None, info: GraphQLResolveInfo, name: str) -> str:
        renamed.append(name)
        return name


schema = graphene.Schema(query=Query, mutation=Mutation)

urlpatterns = [path("toy/", PortalGraphQLView.as_view(schema=schema))]
