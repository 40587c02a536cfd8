"""The contract was mended: ``ingress`` is the account's own domain, ``target_domain`` the gateway's."""

from django.db import migrations, models
from django.db.models import F


def turn_round(apps, schema_editor):
    """Rows from before have it the other way round; each value moves to the other column."""
    domains = apps.get_model("accounts", "IngressDomain").objects.using(schema_editor.connection.alias)
    domains.update(ingress=F("target_domain"), target_domain=F("ingress"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_host_settings")]

    operations = [
        migrations.RunPython(turn_round, turn_round, elidable=True),
        migrations.AlterField(
            model_name="ingressdomain",
            name="ingress",
            field=models.CharField(max_length=253, verbose_name="account's own domain"),
        ),
        migrations.AlterField(
            model_name="ingressdomain",
            name="target_domain",
            field=models.CharField(max_length=253, verbose_name="gateway's host name"),
        ),
        migrations.AlterField(
            model_name="membership",
            name="level",
            field=models.CharField(
                choices=[("admin", "Admin"), ("manage", "Standard"), ("view", "View only")],
                max_length=10,
                verbose_name="role",
            ),
        ),
    ]
