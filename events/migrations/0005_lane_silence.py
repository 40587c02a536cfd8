from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_identities_by_age"),
    ]

    operations = [
        migrations.AddField(
            model_name="lane",
            name="silence",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
    ]
