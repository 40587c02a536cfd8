import accounts.models.tenant
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                (
                    "status",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Deactivated"), (1, "Active"), (2, "Invited")], default=2
                    ),
                ),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="temporary until")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "ordering": ["email"],
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.models.tenant.new_tenant_id,
                        editable=False,
                        max_length=8,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "status",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Active"), (1, "Setup in progress"), (2, "Deactivated")], default=0
                    ),
                ),
                ("can_partner_manage", models.BooleanField(default=True, verbose_name="managed by the host")),
                ("event_enrichment", models.BooleanField(default=False, verbose_name="enhance events")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "account",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "level",
                    models.CharField(
                        choices=[("admin", "Admin"), ("manage", "Manage"), ("view", "View only")],
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="ApiAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=20,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("^[A-Za-z0-9]{1,20}\\Z")],
                    ),
                ),
                ("secret_hash", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "last_used_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last token issued"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API account",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("issued_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "api_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tokens", to="accounts.apiaccount"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("tenant_id", models.CharField(max_length=8, null=True, verbose_name="account")),
                ("actor", models.CharField(max_length=254)),
                ("act", models.CharField(max_length=50)),
                ("subject", models.CharField(max_length=300)),
                ("changes", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["tenant_id", "-at"], name="audit_of_tenant")],
            },
        ),
        migrations.CreateModel(
            name="IngressDomain",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ingress_domain",
                        serialize=False,
                        to="accounts.tenant",
                    ),
                ),
                ("ingress", models.CharField(max_length=253, verbose_name="gateway's host name")),
                ("target_domain", models.CharField(max_length=253, verbose_name="account's own domain")),
                (
                    "status",
                    models.CharField(
                        choices=[("PENDING", "Pending"), ("VERIFIED", "Optimized")], default="PENDING", max_length=20
                    ),
                ),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "data routing",
                "verbose_name_plural": "data routing",
            },
        ),
        migrations.CreateModel(
            name="UsageSnapshot",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="usage",
                        serialize=False,
                        to="accounts.tenant",
                    ),
                ),
                ("total_events_received", models.BigIntegerField(default=0)),
                ("total_pixels_with_traffic", models.PositiveIntegerField(default=0)),
                ("publish_error", models.BooleanField(default=False)),
                ("duration_in_hours", models.PositiveSmallIntegerField(default=24)),
                ("refreshed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "usage",
                "verbose_name_plural": "usage",
            },
        ),
        migrations.AddIndex(
            model_name="tenant",
            index=models.Index(fields=["name", "id"], name="tenant_by_name"),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", [0, 1, 2])), name="tenant_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="tenant_has_name"),
        ),
        migrations.AddField(
            model_name="user",
            name="default_tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="accounts.tenant",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="membership",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="invitation", to="accounts.membership"
            ),
        ),
        migrations.AddConstraint(
            model_name="apiaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "^[A-Za-z0-9]{1,20}\\Z")), name="api_account_name_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(condition=models.Q(("status__in", [0, 1, 2])), name="user_status_known"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("tenant", "user"), name="one_role_per_person_and_account"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tenant", None)), fields=("user",), name="one_role_per_person_at_the_host"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["admin", "manage", "view"])), name="membership_level_known"
            ),
        ),
    ]
