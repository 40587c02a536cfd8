from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0003_faster_compression"),
    ]

    operations = [
        migrations.AlterField(
            model_name="identity",
            name="seen_at",
            field=models.DateTimeField(),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(fields=["pixel", "seen_at"], name="identities_by_age"),
        ),
    ]
