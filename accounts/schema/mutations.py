"""The hub API's mutations: each parses, calls one service and reads what the document selects of the result."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import ResolveInfo

from accounts.models import IngressDomain as IngressDomainModel
from accounts.reads import Person, TenantView, read_person, read_tenant
from accounts.schema.api_accounts import ApiAccountMutations
from accounts.schema.context import principal_of
from accounts.schema.types import CreateTenantInput, IngressDomain, Tenant, UpdateTenantInput, User, UserType
from accounts.services import invitations, people, routing, tenants
from common.budget import current_budget
from common.errors import InvalidInput
from common.graphql.samples import Sampled
from common.graphql.selection import selected

_INVITATION_LINK = "https://gateway.example.com/auth/verify/?token=…&et=inv&email=ada@example.com"


class AddUserWithRoleInput(graphene.InputObjectType):
    """The person to add, and the role."""

    email = graphene.String(
        required=True, description=Sampled("The person's email address.", "new.colleague@example.com")
    )
    role_name = graphene.String(
        required=True,
        description=Sampled("agency-<action> or advertiser-<action>-<tenantId>.", "advertiser-view-$tenant_id"),
    )


class ChangeRoleForUserInput(graphene.InputObjectType):
    """The role to take from a person, the role to give, or both."""

    user_id = graphene.String(required=True, description=Sampled("The person's UUID.", "$user_id"))
    role_to_revoke = graphene.String(description="A role that the person has.")
    role_to_add = graphene.String(
        description=Sampled(
            "A role to give; it replaces the role in the same account.", "advertiser-$user_level-$tenant_id"
        )
    )


class SendInvitationInput(graphene.InputObjectType):
    """The person to invite again."""

    email = graphene.String(required=True, description=Sampled("The person's email address.", "$invited_email"))
    tenant_id = graphene.String(
        description=Sampled("Unique identifier of the account; required for ADVERTISER.", "$tenant_id")
    )
    user_type = graphene.Field(UserType, required=True, description=Sampled("Whose person it is.", "ADVERTISER"))


class IngressDomainInput(graphene.InputObjectType):
    """Data routing of an account."""

    ingress = graphene.String(
        required=True,
        description=Sampled(
            "The account's own domain, such as capig.advertiser.com; its CNAME is targetDomain.", "$ingress"
        ),
    )
    target_domain = graphene.String(
        required=True, description=Sampled("The gateway's domain, to which the CNAME must lead.", "$target_domain")
    )


class CreateTenantResult(graphene.ObjectType):
    """The outcome of createTenant."""

    tenant = graphene.Field(Tenant, description="The new account.")


class TenantMutationResponse(graphene.ObjectType):
    """The outcome of updateTenant."""

    tenant = graphene.Field(Tenant, description="The account as it is now.")


class AddUserResponse(graphene.ObjectType):
    """The outcome of addUserWithRole."""

    user_already_exist = graphene.Boolean(
        description=Sampled("Was the person known before, from another account?", False)
    )
    invitation_link = graphene.String(
        description=Sampled(
            "The link that accepts the role; valid for 24 hours, once.",
            _INVITATION_LINK,
        )
    )
    user = graphene.Field(User, description="The person.")


class ChangeRoleForUserResponse(graphene.ObjectType):
    """The outcome of changeRoleForUser."""

    user = graphene.Field(User, description="The person, with the roles as they are now.")


class HubTenantMutations(graphene.ObjectType):
    """Opens, changes and deletes accounts."""

    class Meta:
        name = "TenantMutations"

    create_tenant = graphene.Field(
        CreateTenantResult,
        input=CreateTenantInput(required=True, description="The account to open."),
        description="Opens an account. Codes: 400, 401.",
    )
    update_tenant = graphene.Field(
        TenantMutationResponse,
        input=UpdateTenantInput(required=True, description="What to change."),
        description="Changes an account's name, status or management. Codes: 400, 401.",
    )
    delete_tenant = graphene.Boolean(
        # None that is there: nobody may lose something by trying the sample.
        tenant_id=graphene.String(required=True, description=Sampled("Unique identifier of the account.", "hU2koC34")),
        description="Deletes an account with everything in it. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_create_tenant(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, TenantView]:
        principal = principal_of(info)
        created = tenants.create_tenant(principal=principal, **input)
        with current_budget().reading("tenant"):
            return {"tenant": read_tenant(principal, created.tenant.pk, selected(info)["tenant"])}

    @staticmethod
    def resolve_update_tenant(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, TenantView]:
        principal = principal_of(info)
        tenant = tenants.update_tenant(principal=principal, **input)
        with current_budget().reading("tenant"):
            return {"tenant": read_tenant(principal, tenant.pk, selected(info)["tenant"])}

    @staticmethod
    def resolve_delete_tenant(root: Any, info: ResolveInfo, tenant_id: str) -> bool:
        tenants.delete_tenant(principal=principal_of(info), tenant_id=tenant_id)
        return True


class UserMutations(graphene.ObjectType):
    """Adds and invites people and changes their roles."""

    add_user_with_role = graphene.Field(
        AddUserResponse,
        input=AddUserWithRoleInput(required=True, description="The person and the role."),
        description="Gives a person a role, by invitation. Codes: 400, 401, 404 unknown role, 409 has a role there.",
    )
    change_role_for_user = graphene.Field(
        ChangeRoleForUserResponse,
        input=ChangeRoleForUserInput(required=True, description="The roles to take and to give."),
        description=(
            "Changes a person's role. The last admin of an account can be neither removed nor demoted. "
            "Codes: 400, 401, 404 unknown role or person."
        ),
    )
    send_invitation = graphene.String(
        input=SendInvitationInput(required=True, description="The person to invite again."),
        description=Sampled(
            "Returns the invitation link; it is mailed too where SMTP is configured. "
            "Codes: 400, 401, 404 no such person, 409 accepted already.",
            _INVITATION_LINK,
        ),
    )

    @staticmethod
    def resolve_add_user_with_role(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        principal = principal_of(info)
        added = people.add_user_with_role(principal=principal, email=input["email"], role_name=input["role_name"])
        with current_budget().reading("user"):
            return {
                "user_already_exist": added.existed,
                "invitation_link": added.invitation_link,
                "user": read_person(principal, added.user, selected(info)["user"]),
            }

    @staticmethod
    def resolve_change_role_for_user(root: Any, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Person]:
        principal = principal_of(info)
        user = people.change_role_for_user(
            principal=principal,
            user_id=input["user_id"],
            role_to_revoke=input.get("role_to_revoke"),
            role_to_add=input.get("role_to_add"),
        )
        with current_budget().reading("user"):
            return {"user": read_person(principal, user, selected(info)["user"])}

    @staticmethod
    def resolve_send_invitation(root: Any, info: ResolveInfo, input: dict[str, Any]) -> str:
        return invitations.send_invitation(
            principal=principal_of(info),
            email=input["email"],
            user_type=getattr(input["user_type"], "value", input["user_type"]),
            tenant_id=input.get("tenant_id"),
        ).link


class HubMutation(graphene.ObjectType):
    """What the hub endpoint changes."""

    class Meta:
        name = "Mutation"

    tenant_mutations = graphene.Field(HubTenantMutations, description="Accounts.")
    user_mutations = graphene.Field(UserMutations, description="People.")
    api_account_mutations = graphene.Field(ApiAccountMutations, description="API accounts.")
    upsert_ingress_domain = graphene.Field(
        IngressDomain,
        tenant_id=graphene.ID(description=Sampled("Unique identifier of the account; required.", "$tenant_id")),
        input=graphene.Argument(IngressDomainInput, description="The data routing; required."),
        description="Chooses the account's own domain and checks its CNAME. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_tenant_mutations(root: None, info: ResolveInfo) -> dict[str, Any]:
        return {}

    @staticmethod
    def resolve_user_mutations(root: None, info: ResolveInfo) -> dict[str, Any]:
        return {}

    @staticmethod
    def resolve_api_account_mutations(root: None, info: ResolveInfo) -> dict[str, Any]:
        return {}

    @staticmethod
    def resolve_upsert_ingress_domain(
        root: None, info: ResolveInfo, tenant_id: str | None = None, input: dict[str, Any] | None = None
    ) -> IngressDomainModel:
        if not tenant_id:
            raise InvalidInput("tenantId", "is required.")
        if not input:
            raise InvalidInput("input", "is required.")
        return routing.upsert_ingress_domain(
            principal=principal_of(info),
            tenant_id=tenant_id,
            ingress=input["ingress"],
            target_domain=input["target_domain"],
        ).domain
