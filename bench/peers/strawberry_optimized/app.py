"""strawberry-django with its optimizer: fields name what they need, and all of it is loaded level by level."""

from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from django.core.wsgi import get_wsgi_application
from django.db.models import Count, Exists, OuterRef, Q
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from strawberry.django.views import GraphQLView
from strawberry_django.optimizer import DjangoOptimizerExtension

LEVELS = ("admin", "manage", "view")

application = get_wsgi_application()

from bench.peers import models  # noqa: E402  # when Django is ready

_other_admins = models.Membership.objects.filter(
    tenant__memberships__user=OuterRef("pk"), tenant__memberships__level="admin", level="admin"
).exclude(user=OuterRef("pk"))
_is_admin = models.Membership.objects.filter(user=OuterRef("pk"), level="admin")


@strawberry.type
class Role:
    """A role in an account."""

    name: str
    display_name: str


def role(level: str, tenant_id: str) -> Role:
    """The role of a level."""
    return Role(name=f"advertiser-{level}-{tenant_id}", display_name=level)


@strawberry_django.type(models.Usage)
class UsageByTraffic:
    """Traffic of an account."""

    total_pixels_with_traffic: int
    publish_error: bool
    duration_in_hours: int

    @strawberry_django.field(only=["total_events_received"])
    def total_events_received(self) -> float:
        return self.total_events_received

    @strawberry_django.field(only=["refreshed_at"])
    def last_updated_at(self) -> str | None:
        return milliseconds(self.refreshed_at)  # type: ignore[attr-defined]  # of the model


@strawberry.type
class Usage:
    """Pixels and traffic of an account."""

    total_active_pixels: int
    total_inactive_pixels: int
    total_pixels: int
    tenant_usage_by_traffic: UsageByTraffic


@strawberry_django.type(models.User)
class User:
    """A person."""

    email: str
    tenants: list["Tenant"]
    can_be_deleted: bool = strawberry_django.field(
        annotate={"can_be_deleted": ~Exists(_is_admin) | Exists(_other_admins)}
    )

    @strawberry_django.field(only=["id"])
    def id(self) -> str:
        return str(self.id)

    @strawberry_django.field(prefetch_related=["memberships"])
    def roles(self) -> list[Role]:
        return [role(each.level, each.tenant_id) for each in self.memberships.all()]  # type: ignore[attr-defined]

    @strawberry_django.field(only=["default_tenant_id"])
    def default_tenant_id(self) -> str | None:
        return self.default_tenant_id

    @strawberry.field
    def is_self(self) -> bool:
        return False


@strawberry_django.type(models.Tenant)
class Tenant:
    """An account."""

    name: str
    status: int
    can_partner_manage: bool
    users: list[User]

    @strawberry_django.field(only=["id"])
    def id(self) -> str:
        return self.id

    @strawberry_django.field(only=["id"])
    def available_roles(self) -> list[Role]:
        return [role(level, self.id) for level in LEVELS]

    @strawberry_django.field(
        select_related=["usage"],
        annotate={"pixels_total": Count("pixels"), "pixels_active": Count("pixels", filter=Q(pixels__active=True))},
    )
    def tenant_usage(self) -> Usage:
        loaded: Any = self
        return Usage(
            total_active_pixels=loaded.pixels_active,
            total_inactive_pixels=loaded.pixels_total - loaded.pixels_active,
            total_pixels=loaded.pixels_total,
            tenant_usage_by_traffic=loaded.usage,
        )

    @strawberry.field(name="canEditTenantSettingsInUI")
    def can_edit_tenant_settings_in_ui(self) -> bool:
        return False

    @strawberry.field(name="canViewTenantInUI")
    def can_view_tenant_in_ui(self) -> bool:
        return False


@strawberry_django.type(models.Pixel)
class ConnectionStatus:
    """How a pixel's connection stands."""

    id: strawberry.ID = strawberry_django.field(field_name="status_id")
    pixel_id: str = strawberry_django.field(field_name="id", name="pixelID")
    pixel_name: str | None
    target_id: str | None
    access_token_available: bool
    connected: bool
    active: bool
    event_bridge_active: bool
    publishing_enabled: bool
    access_key: str | None
    api_error_code: str | None
    bad_token: bool
    last_received: float
    last_published: float
    total_events_received: float
    total_events_published: float


@strawberry_django.type(models.Pixel)
class SignalConfig:
    """A pixel."""

    id: strawberry.ID = strawberry_django.field(field_name="config_id")
    connection_id: str = strawberry_django.field(field_name="id")

    @strawberry_django.field(only=[field.name for field in models.Pixel._meta.concrete_fields])
    def connection_status(self) -> ConnectionStatus:
        return self  # type: ignore[return-value]  # another view of the same row


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry_django.field
    def tenant(self, tenant_id: str) -> Tenant:
        return models.Tenant.objects.filter(pk=tenant_id)  # type: ignore[return-value]  # the optimizer's to extend

    @strawberry_django.field
    def signal_configs(self, tenant_id: strawberry.ID) -> list[SignalConfig]:
        return models.Pixel.objects.filter(tenant=tenant_id)  # type: ignore[return-value]


def milliseconds(moment: datetime | None) -> str | None:
    """Milliseconds since the epoch, as the portal shows them."""
    return str(int(moment.timestamp() * 1000)) if moment else None


schema = strawberry.Schema(query=Query, extensions=[DjangoOptimizerExtension])
urlpatterns = [path("graphql/", csrf_exempt(GraphQLView.as_view(schema=schema)))]
