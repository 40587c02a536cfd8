"""API accounts in the hub API, which are ours: the reference makes them in its web UI alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import graphene
from graphene import ResolveInfo

from accounts.models import ApiAccount as ApiAccountModel
from accounts.permissions import Action, require
from accounts.schema.context import principal_of
from accounts.schema.types import milliseconds
from accounts.services import api_accounts
from accounts.services.api_accounts import MAX_OVERLAP_HOURS, IssuedApiAccount, Scope
from common import budget
from common.errors import InvalidInput
from common.graphql.samples import MOMENT, Sampled
from common.validation import clean_milliseconds

_MAX_DAYS = 36_500
_NAME = Sampled("The API account's name, its client_id.", "Till")
_EXPIRES = Sampled("When it expires: milliseconds since the epoch, as a string. Null for never.", str(MOMENT))


def _moment(description: str) -> graphene.String:
    said = f"{description}: milliseconds since the epoch, as a string; null for never."
    return graphene.String(description=Sampled(said, str(MOMENT)))


class ApiAccount(graphene.ObjectType):
    """What software signs in with. One without scope may do all that an admin of the host may."""

    name = graphene.String(required=True, description=_NAME)
    read_only = graphene.Boolean(required=True, description="Does it look only?")
    tenant_id = graphene.String(description=Sampled("The one account that it is for; null for all.", "$tenant_id"))
    expires_at = _moment("When it expires")
    created_at = _moment("When it was made")
    former_secret_until = _moment("Until when the secret before the last rotation is good")
    last_used_at = _moment("When it was last used, to the minute")
    last_used_from = graphene.String(
        description=Sampled("From which network: /24, of IPv6 /48. Null where that is not known.", "192.0.2.0/24")
    )


class CreateApiAccountInput(graphene.InputObjectType):
    """The API account to make."""

    name = graphene.String(
        required=True, description=Sampled("1 to 20 letters and digits; software sends it as client_id.", "Till")
    )
    read_only = graphene.Boolean(description="May it look only? False if not given.")
    tenant_id = graphene.String(description=Sampled("The one account that it is for; null for all.", "$tenant_id"))
    expires_at = graphene.String(description=_EXPIRES)
    password = graphene.String(description="A person's own password; API accounts give none.")


class UpdateApiAccountInput(graphene.InputObjectType):
    """What to change of an API account; what is left out stays, and null takes a bound away."""

    name = graphene.String(required=True, description=_NAME)
    read_only = graphene.Boolean(description="May it look only?")
    tenant_id = graphene.String(description=Sampled("The one account that it is for; null for all.", "$tenant_id"))
    expires_at = graphene.String(description=_EXPIRES)


class RotateApiAccountInput(graphene.InputObjectType):
    """The API account that gets a new secret."""

    name = graphene.String(required=True, description=_NAME)
    overlap_hours = graphene.Int(
        description=Sampled(
            f"For how long the former secret is good, 0 to {MAX_OVERLAP_HOURS}; 24 if not given. 0 where others know "
            "it: it ends at once, with its tokens.",
            24,
        )
    )
    password = graphene.String(description="A person's own password; API accounts give none.")


class IssuedApiAccountResponse(graphene.ObjectType):
    """An API account with its new secret."""

    api_account = graphene.Field(ApiAccount, required=True, description="The API account.")
    client_secret = graphene.String(required=True, description=Sampled("The secret, which is shown this once.", "…"))


class UpdateApiAccountResponse(graphene.ObjectType):
    """The outcome of updateApiAccount."""

    api_account = graphene.Field(ApiAccount, required=True, description="The API account as it is now.")


class ApiAccountMutations(graphene.ObjectType):
    """Makes, bounds and deletes API accounts."""

    create_api_account = graphene.Field(
        IssuedApiAccountResponse,
        input=CreateApiAccountInput(required=True, description="The API account to make."),
        description="Makes an API account. Codes: 400, 401, 409 the name is taken.",
    )
    update_api_account = graphene.Field(
        UpdateApiAccountResponse,
        input=UpdateApiAccountInput(required=True, description="What to change."),
        description="Changes what an API account may do; its tokens end. Codes: 400, 401, 404 no such API account.",
    )
    rotate_api_account = graphene.Field(
        IssuedApiAccountResponse,
        input=RotateApiAccountInput(required=True, description="The API account."),
        description=(
            "Gives an API account a new secret; the former one is good for a while. "
            "Codes: 400, 401, 404 no such API account."
        ),
    )
    delete_api_account = graphene.Boolean(
        name=graphene.String(required=True, description=_NAME),
        description="Deletes an API account; its tokens end. Codes: 401, 404 no such API account.",
    )

    @staticmethod
    def resolve_create_api_account(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        return _issued(
            api_accounts.create_api_account(
                principal=principal_of(info), name=input["name"], password=input.get("password"), **_scope_of(input)
            )
        )

    @staticmethod
    def resolve_update_api_account(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        changed = api_accounts.update_api_account(principal=principal_of(info), name=input["name"], **_scope_of(input))
        return {"api_account": _told(changed)}

    @staticmethod
    def resolve_rotate_api_account(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        hours = input.get("overlap_hours")
        return _issued(
            api_accounts.rotate_api_account(
                principal=principal_of(info),
                name=input["name"],
                password=input.get("password"),
                overlap_hours=api_accounts.DEFAULT_OVERLAP_HOURS if hours is None else hours,
            )
        )

    @staticmethod
    def resolve_delete_api_account(root: Any, info: ResolveInfo, name: str) -> bool:
        api_accounts.delete_api_account(principal=principal_of(info), name=name)
        return True


class ApiAccountQuery(graphene.ObjectType):
    """The part of the hub's queries that is about API accounts."""

    api_accounts = graphene.List(
        graphene.NonNull(ApiAccount),
        expire_within_days=graphene.Int(
            description="Only those whose time is over, or will be in so many days: the first to go first."
        ),
        description="The API accounts, by name. For the host. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_api_accounts(
        root: None, info: ResolveInfo, expire_within_days: int | None = None
    ) -> list[dict[str, Any]]:
        require(principal_of(info), Action.VIEW_HOST)
        found = ApiAccountModel.objects.all()
        if expire_within_days is not None:
            if not 0 <= expire_within_days <= _MAX_DAYS:
                raise InvalidInput("expireWithinDays", "must be from 0 to {limit}.", limit=_MAX_DAYS)
            found = api_accounts.expiring_api_accounts(within=timedelta(days=expire_within_days))
        rows = list(found[: budget.most_rows()])
        budget.load(len(rows), "apiAccounts")
        return [_told(row) for row in rows]


def _scope_of(input: dict[str, Any]) -> Scope:
    """What the input gives of a scope; for yes or no, null is as good as not given."""
    scope: Scope = {}
    if input.get("read_only") is not None:
        scope["read_only"] = input["read_only"]
    if "tenant_id" in input:
        scope["tenant_id"] = input["tenant_id"]
    if "expires_at" in input:
        scope["expires_at"] = clean_milliseconds("expiresAt", input["expires_at"])
    return scope


def _issued(issued: IssuedApiAccount) -> dict[str, Any]:
    return {"api_account": _told(issued.api_account), "client_secret": issued.secret}


def _told(row: ApiAccountModel) -> dict[str, Any]:
    return {
        "name": row.name,
        "read_only": row.read_only,
        "tenant_id": row.tenant_id,
        "expires_at": milliseconds(row.expires_at),
        "created_at": milliseconds(row.created_at),
        "former_secret_until": milliseconds(row.previous_secret_until) if row.has_two_secrets else None,
        "last_used_at": milliseconds(row.last_used_at),
        "last_used_from": row.last_used_from or None,
    }
