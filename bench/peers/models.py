"""The portal's tables, as the peers on Django see them."""

from __future__ import annotations

from django.db import models


class Tenant(models.Model):
    """An account."""

    id = models.CharField(primary_key=True, max_length=8)
    name = models.CharField(max_length=100)
    status = models.PositiveSmallIntegerField()
    can_partner_manage = models.BooleanField()

    class Meta:
        managed = False
        db_table = "accounts_tenant"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class User(models.Model):
    """A person."""

    id = models.UUIDField(primary_key=True)
    email = models.EmailField()
    default_tenant = models.ForeignKey(Tenant, models.DO_NOTHING, null=True, related_name="+")
    tenants = models.ManyToManyField(Tenant, through="Membership", related_name="users")

    class Meta:
        managed = False
        db_table = "accounts_user"
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """The role of a person in an account."""

    user = models.ForeignKey(User, models.DO_NOTHING, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.DO_NOTHING, related_name="memberships")
    level = models.CharField(max_length=10)

    class Meta:
        managed = False
        db_table = "accounts_membership"

    def __str__(self) -> str:
        return f"advertiser-{self.level}-{self.tenant_id}"


class Usage(models.Model):
    """What an account uses."""

    tenant = models.OneToOneField(Tenant, models.DO_NOTHING, primary_key=True, related_name="usage")
    total_events_received = models.BigIntegerField()
    total_pixels_with_traffic = models.PositiveIntegerField()
    publish_error = models.BooleanField()
    duration_in_hours = models.PositiveSmallIntegerField()
    refreshed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "accounts_usagesnapshot"

    def __str__(self) -> str:
        return f"Usage of {self.tenant_id}"


class Pixel(models.Model):
    """A pixel connection with all that is shown of it."""

    id = models.CharField(primary_key=True, max_length=20)
    tenant = models.ForeignKey(Tenant, models.DO_NOTHING, related_name="pixels")
    status_id = models.TextField()
    config_id = models.TextField()
    pixel_name = models.TextField(null=True)
    target_id = models.TextField(null=True)
    access_token_available = models.BooleanField()
    connected = models.BooleanField()
    active = models.BooleanField()
    event_bridge_active = models.BooleanField()
    publishing_enabled = models.BooleanField()
    access_key = models.TextField()
    api_error_code = models.TextField(null=True)
    bad_token = models.BooleanField()
    last_received = models.FloatField()
    last_published = models.FloatField()
    total_events_received = models.FloatField()
    total_events_published = models.FloatField()

    class Meta:
        managed = False
        db_table = "peer_pixels"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.id
