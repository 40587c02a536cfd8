"""What the administration calls the columns; nothing of the tables changes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pixels", "0002_pixel_import")]

    operations = [
        migrations.AlterField(
            model_name="pixel",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pixels",
                to="accounts.tenant",
                verbose_name="account",
            ),
        ),
        migrations.AlterField(
            model_name="pixel",
            name="api_error_code",
            field=models.CharField(blank=True, max_length=20, null=True, verbose_name="error of the Graph API"),
        ),
    ]
