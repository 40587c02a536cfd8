"""Event ids that came on both roads, told by name: a level for each class of names takes the place of the pixel's.

The column ``events_lane.ids_level`` stays for processes of the previous release, which read it; it goes a release later.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0011_registration"),
    ]

    operations = [
        migrations.AddField(
            model_name="counter",
            name="ids_seen",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="counter",
            name="browser_ids_seen",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="counter",
            name="ids_of_other_orders",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="lane",
            name="ids_levels",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="lane", name="ids_level")],
        ),
        migrations.AddField(
            model_name="seenid",
            name="server_order",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="seenid",
            name="browser_order",
            field=models.IntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="idfinding",
            name="kind",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (0, "The same id came again"),
                    (1, "Browser and server share hardly an id"),
                    (2, "One id for several orders"),
                ]
            ),
        ),
    ]
