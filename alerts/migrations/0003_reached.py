from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0002_channels"),
    ]

    operations = [
        migrations.AddField(
            model_name="noticedelivery",
            name="reached",
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
