"""graphene-django as its tutorial shows it: types of models, resolvers that follow relations, GraphQLView."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from graphene_django import DjangoObjectType
from graphene_django.views import GraphQLView

LEVELS = ("admin", "manage", "view")

application = get_wsgi_application()

from bench.peers import models  # noqa: E402  # when Django is ready


class Role(graphene.ObjectType):
    """A role in an account."""

    name = graphene.String(required=True)
    display_name = graphene.String(required=True)


def role(level: str, tenant_id: str) -> Role:
    """The role of a level."""
    return Role(name=f"advertiser-{level}-{tenant_id}", display_name=level)


class UsageByTraffic(DjangoObjectType):
    """Traffic of an account."""

    total_events_received = graphene.Float(required=True)
    last_updated_at = graphene.String()

    class Meta:
        model = models.Usage
        fields = ("total_events_received", "total_pixels_with_traffic", "publish_error", "duration_in_hours")

    def resolve_last_updated_at(self: Any, info: graphene.ResolveInfo) -> str | None:
        return milliseconds(self.refreshed_at)


class Usage(graphene.ObjectType):
    """Pixels and traffic of an account."""

    total_active_pixels = graphene.Int(required=True)
    total_inactive_pixels = graphene.Int(required=True)
    total_pixels = graphene.Int(required=True)
    tenant_usage_by_traffic = graphene.Field(UsageByTraffic, required=True)

    def resolve_total_active_pixels(self: Any, info: graphene.ResolveInfo) -> int:
        return int(self.pixels.filter(active=True).count())

    def resolve_total_inactive_pixels(self: Any, info: graphene.ResolveInfo) -> int:
        return int(self.pixels.filter(active=False).count())

    def resolve_total_pixels(self: Any, info: graphene.ResolveInfo) -> int:
        return int(self.pixels.count())

    def resolve_tenant_usage_by_traffic(self: Any, info: graphene.ResolveInfo) -> models.Usage:
        return self.usage


class User(DjangoObjectType):
    """A person."""

    id = graphene.String(required=True)
    roles = graphene.List(graphene.NonNull(Role), required=True)
    tenants = graphene.List(graphene.NonNull(lambda: Tenant), required=True)
    is_self = graphene.Boolean(required=True)
    can_be_deleted = graphene.Boolean(required=True)
    default_tenant_id = graphene.String()

    class Meta:
        model = models.User
        fields = ("email",)

    def resolve_roles(self: Any, info: graphene.ResolveInfo) -> list[Role]:
        return [role(membership.level, membership.tenant_id) for membership in self.memberships.all()]

    def resolve_tenants(self: Any, info: graphene.ResolveInfo) -> Any:
        return self.tenants.all()

    def resolve_is_self(self: Any, info: graphene.ResolveInfo) -> bool:
        return False

    def resolve_can_be_deleted(self: Any, info: graphene.ResolveInfo) -> bool:
        own = self.memberships.filter(level="admin").values("tenant")
        others = models.Membership.objects.filter(tenant__in=own, level="admin").exclude(user=self)
        return not own or others.exists()


class Tenant(DjangoObjectType):
    """An account."""

    id = graphene.String(required=True)
    status = graphene.Int(required=True)
    users = graphene.List(graphene.NonNull(User), required=True)
    available_roles = graphene.List(graphene.NonNull(Role), required=True)
    tenant_usage = graphene.Field(Usage, required=True)
    can_edit_tenant_settings_in_ui = graphene.Boolean(name="canEditTenantSettingsInUI", required=True)
    can_view_tenant_in_ui = graphene.Boolean(name="canViewTenantInUI", required=True)

    class Meta:
        model = models.Tenant
        fields = ("name", "can_partner_manage")

    def resolve_users(self: Any, info: graphene.ResolveInfo) -> Any:
        return self.users.all()

    def resolve_available_roles(self: Any, info: graphene.ResolveInfo) -> list[Role]:
        return [role(level, self.id) for level in LEVELS]

    def resolve_tenant_usage(self: Any, info: graphene.ResolveInfo) -> Any:
        return self

    def resolve_can_edit_tenant_settings_in_ui(self: Any, info: graphene.ResolveInfo) -> bool:
        return False

    def resolve_can_view_tenant_in_ui(self: Any, info: graphene.ResolveInfo) -> bool:
        return False


class ConnectionStatus(DjangoObjectType):
    """How a pixel's connection stands."""

    id = graphene.ID(required=True)
    pixel_id = graphene.String(name="pixelID", required=True)
    target_id = graphene.String()

    class Meta:
        model = models.Pixel
        exclude = ("tenant", "status_id", "config_id")

    def resolve_id(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.status_id)

    def resolve_pixel_id(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.id)


class SignalConfig(graphene.ObjectType):
    """A pixel."""

    id = graphene.ID(required=True)
    connection_id = graphene.String(required=True)
    connection_status = graphene.Field(ConnectionStatus, required=True)

    def resolve_id(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.config_id)

    def resolve_connection_id(self: Any, info: graphene.ResolveInfo) -> str:
        return str(self.id)

    def resolve_connection_status(self: Any, info: graphene.ResolveInfo) -> Any:
        return self


class Query(graphene.ObjectType):
    """What can be asked."""

    tenant = graphene.Field(Tenant, tenant_id=graphene.String(required=True))
    signal_configs = graphene.List(graphene.NonNull(SignalConfig), required=True, tenant_id=graphene.ID(required=True))

    def resolve_tenant(self: Any, info: graphene.ResolveInfo, tenant_id: str) -> models.Tenant:
        return models.Tenant.objects.get(pk=tenant_id)

    def resolve_signal_configs(self: Any, info: graphene.ResolveInfo, tenant_id: str) -> Any:
        return models.Pixel.objects.filter(tenant=tenant_id)


def milliseconds(moment: datetime | None) -> str | None:
    """Milliseconds since the epoch, as the portal shows them."""
    return str(int(moment.timestamp() * 1000)) if moment else None


schema = graphene.Schema(query=Query)
urlpatterns = [path("graphql/", csrf_exempt(GraphQLView.as_view(schema=schema)))]
