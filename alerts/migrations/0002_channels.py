"""A notice has a kind, and each channel a row of its own for it. No release had the table as it was."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def keep_what_was_mailed(apps, schema_editor):
    """Notices that were told by mail, or given up, have their delivery; the others get theirs when they are due."""
    notices = apps.get_model("alerts", "Notice").objects.filter(due_at=None)
    delivery = apps.get_model("alerts", "NoticeDelivery")
    delivery.objects.bulk_create(
        (
            delivery(notice_id=pk, channel="mail", due_at=None, attempts=attempts, told_at=told_at)
            for pk, attempts, told_at in notices.order_by().values_list("pk", "attempts", "told_at")
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="NoticeDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "notice",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="alerts.notice",
                    ),
                ),
                ("channel", models.CharField(choices=[("mail", "E-mail")], max_length=20)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "notice deliveries",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("channel", "mail")), fields=("notice",), name="one_mailing_of_a_notice"
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="notice_deliveries_due"
                    )
                ],
            },
        ),
        migrations.RunPython(keep_what_was_mailed, migrations.RunPython.noop),
        migrations.RemoveField(model_name="notice", name="attempts"),
        migrations.RemoveField(model_name="notice", name="told_at"),
        migrations.AddField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[("opened", "Opened")], db_default="opened", default="opened", max_length=20
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="alerts.incident"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("incident", "kind"), name="one_notice_of_a_kind"),
        ),
    ]
