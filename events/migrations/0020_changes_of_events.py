from django.db import migrations, models

_TEXTS = ("outboxrow", "sourcerow", "destinationrow", "deadletter", "destinationletter")


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0019_event_ids_of_sources"),
    ]

    operations = [
        *(
            migrations.AddField(model_name=name, name="changes", field=models.TextField(editable=False, null=True))
            for name in _TEXTS
        ),
        migrations.AddField(model_name="deliverybatch", name="changes", field=models.BinaryField(null=True)),
    ]
