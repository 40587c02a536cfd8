"""Events of gateway sources: each request once, and of each destination its cursors, queue, counters and dead letters."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0013_delivery_log"),
        ("pipelines", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DestinationLane",
            fields=[
                ("claim", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("retry_at", models.DateTimeField(null=True)),
                ("held", models.BooleanField(default=False)),
                ("silence", models.CharField(blank=True, default="", max_length=40)),
                (
                    "destination",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lane",
                        serialize=False,
                        to="pipelines.destination",
                    ),
                ),
                ("code", models.CharField(blank=True, default="", max_length=30)),
                ("message", models.CharField(blank=True, default="", max_length=500)),
                ("last_published", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SourceLane",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lane",
                        serialize=False,
                        to="pipelines.source",
                    ),
                ),
                ("placed", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="DestinationCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("span", models.PositiveSmallIntegerField(choices=[(0, "Minute"), (1, "Hour"), (2, "Day")])),
                (
                    "dimension",
                    models.PositiveSmallIntegerField(choices=[(0, "All events"), (1, "Event name"), (2, "Website")]),
                ),
                ("start", models.DateTimeField()),
                ("label", models.CharField(blank=True, max_length=253)),
                ("received", models.BigIntegerField(default=0)),
                ("dropped_receiving_off", models.BigIntegerField(default=0)),
                ("browser_received", models.BigIntegerField(db_default=0, default=0)),
                ("browser_dropped", models.BigIntegerField(db_default=0, default=0)),
                ("dropped_by_event_filter", models.BigIntegerField(default=0)),
                ("dropped_by_domain_filter", models.BigIntegerField(default=0)),
                ("dropped_publishing_off", models.BigIntegerField(default=0)),
                ("published", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("expired", models.BigIntegerField(default=0)),
                ("publish_errors", models.BigIntegerField(default=0)),
                ("browser_published", models.BigIntegerField(db_default=0, default=0)),
                ("browser_failed", models.BigIntegerField(db_default=0, default=0)),
                ("browser_expired", models.BigIntegerField(db_default=0, default=0)),
                (
                    "destination",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipelines.destination",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("dimension", 0)),
                        fields=["span", "start", "destination"],
                        name="destination_counter_totals",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("destination", "span", "dimension", "start", "label"),
                        name="one_destination_counter_row",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DestinationCursor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.BigIntegerField()),
                (
                    "destination",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cursors",
                        to="pipelines.destination",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="cursors", to="pipelines.source"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("destination", "source"), name="one_cursor_per_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="DestinationLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_name", models.CharField(max_length=50)),
                ("event_id", models.CharField(max_length=100)),
                ("website", models.CharField(blank=True, max_length=253)),
                ("event", models.BinaryField()),
                ("options", models.CharField(blank=True, max_length=500)),
                (
                    "road",
                    models.PositiveSmallIntegerField(choices=[(0, "Server"), (1, "Browser")], db_default=0, default=0),
                ),
                ("code", models.CharField(max_length=30)),
                ("message", models.CharField(max_length=500)),
                ("trace_id", models.CharField(blank=True, max_length=100)),
                ("received_at", models.DateTimeField()),
                ("failed_at", models.DateTimeField()),
                (
                    "destination",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_letters",
                        to="pipelines.destination",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "dead letter of a destination",
                "verbose_name_plural": "dead letters of destinations",
                "ordering": ["-failed_at", "-id"],
                "indexes": [models.Index(fields=["destination", "-failed_at"], name="letters_of_destination")],
            },
        ),
        migrations.CreateModel(
            name="DestinationRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_at", models.DateTimeField()),
                ("event_count", models.PositiveSmallIntegerField()),
                ("body", models.BinaryField()),
                ("options", models.CharField(blank=True, max_length=500)),
                (
                    "road",
                    models.PositiveSmallIntegerField(choices=[(0, "Server"), (1, "Browser")], db_default=0, default=0),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipelines.destination",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pipelines.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "request that waits for a destination",
                "verbose_name_plural": "requests that wait for destinations",
                "indexes": [models.Index(fields=["destination", "id"], name="rows_of_destination")],
            },
        ),
        migrations.CreateModel(
            name="SourceCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("span", models.PositiveSmallIntegerField(choices=[(0, "Minute"), (1, "Hour"), (2, "Day")])),
                (
                    "dimension",
                    models.PositiveSmallIntegerField(choices=[(0, "All events"), (1, "Event name"), (2, "Website")]),
                ),
                ("start", models.DateTimeField()),
                ("label", models.CharField(blank=True, max_length=253)),
                ("received", models.BigIntegerField(default=0)),
                ("dropped_receiving_off", models.BigIntegerField(default=0)),
                ("browser_received", models.BigIntegerField(db_default=0, default=0)),
                ("browser_dropped", models.BigIntegerField(db_default=0, default=0)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipelines.source",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("dimension", 0)),
                        fields=["span", "start", "source"],
                        name="source_counter_totals",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "span", "dimension", "start", "label"), name="one_source_counter_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dimension",
                    models.PositiveSmallIntegerField(choices=[(0, "All events"), (1, "Event name"), (2, "Website")]),
                ),
                ("label", models.CharField(max_length=253)),
                ("last_seen", models.DateField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipelines.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "label of a source",
                "verbose_name_plural": "labels of sources",
                "constraints": [
                    models.UniqueConstraint(fields=("source", "dimension", "label"), name="one_label_per_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_at", models.DateTimeField()),
                ("event_count", models.PositiveSmallIntegerField()),
                ("body", models.BinaryField()),
                ("options", models.CharField(blank=True, max_length=500)),
                (
                    "road",
                    models.PositiveSmallIntegerField(choices=[(0, "Server"), (1, "Browser")], db_default=0, default=0),
                ),
                (
                    "intake",
                    models.PositiveSmallIntegerField(choices=[(0, "Received"), (1, "Receiving was off")], default=0),
                ),
                ("place", models.BigIntegerField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipelines.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "request of a source",
                "verbose_name_plural": "requests of sources",
                "indexes": [models.Index(fields=["source", "place", "id"], name="rows_of_source")],
            },
        ),
    ]
