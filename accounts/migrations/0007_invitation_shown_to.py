from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_published_and_failed_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="shown_to",
            field=models.CharField(db_default="", default="", editable=False, max_length=40),
        ),
    ]
