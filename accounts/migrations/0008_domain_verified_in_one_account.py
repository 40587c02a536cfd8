from typing import Any

from django.db import migrations, models


def keep_the_first(apps: Any, schema_editor: Any) -> None:
    """Of accounts that have one domain verified, the one that had it first keeps it; the others' logs tell them.

    The audit log tells who was first. Where it does not go back so far, the time of the last check decides.
    """
    domains = apps.get_model("accounts", "IngressDomain").objects.filter(status="VERIFIED")
    repeated = (
        domains.values("ingress")
        .annotate(count=models.Count("pk"))
        .filter(count__gt=1)
        .values_list("ingress", flat=True)
    )
    entries = apps.get_model("accounts", "AuditEntry").objects
    for ingress in list(repeated):
        rivals = sorted(domains.filter(ingress=ingress), key=lambda domain: _verified_at(entries, domain))
        for loser in rivals[1:]:
            loser.status = "PENDING"
            loser.save(update_fields=["status"])
            entries.create(
                tenant_id=loser.tenant_id,
                actor="schedule",
                act="set data routing",
                subject=ingress,
                changes={"status": ["VERIFIED", "PENDING"]},
            )


def _verified_at(entries: Any, domain: Any) -> tuple[bool, float, str]:
    """Sorts by when the account's domain was verified, unknown times last."""
    told = entries.filter(tenant_id=domain.tenant_id, act="set data routing", subject=domain.ingress).order_by("at")
    moments = [entry.at for entry in told if entry.changes.get("status", [None])[-1] == "VERIFIED"]
    moment = moments[0] if moments else domain.checked_at
    return (moment is None, moment.timestamp() if moment else 0.0, domain.tenant_id)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_invitation_shown_to"),
    ]

    operations = [
        migrations.RunPython(keep_the_first, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="ingressdomain",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "VERIFIED")), fields=("ingress",), name="domain_verified_in_one_account"
            ),
        ),
    ]
