from django.db import migrations, models
from django.db.models.functions import Now

ACTIVATED = 1


def those_who_sign_in_are_known(apps, schema_editor):
    """Whoever could sign in before this release could set up a second factor, too: for them nothing changes."""
    apps.get_model("accounts", "User").objects.filter(status=ACTIVATED).update(proven_at=Now())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_routing_the_right_way_round")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="proof_hash",
            field=models.CharField(max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="user",
            name="proven_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="address proven"),
        ),
        migrations.AddField(
            model_name="user",
            name="roleless_since",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="without a role since"),
        ),
        migrations.RunPython(those_who_sign_in_are_known, migrations.RunPython.noop, elidable=True),
    ]
