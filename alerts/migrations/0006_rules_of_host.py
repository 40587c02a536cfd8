import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_language"),
        ("alerts", "0005_schedules"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rulesetting",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.tenant",
                verbose_name="account",
            ),
        ),
        migrations.AddConstraint(
            model_name="rulesetting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tenant", None)), fields=("rule",), name="one_rule_setting_of_the_host"
            ),
        ),
        migrations.AddField(
            model_name="posting",
            name="fault",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
    ]
