from datetime import timedelta

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0010_delivery_request_id"),
    ]

    operations = [
        migrations.AddField(
            "environment",
            "keep_audit",
            models.DurationField(null=True, blank=True, default=timedelta(days=730), db_default=timedelta(days=730)),
        ),
        migrations.AddField(
            "environment",
            "keep_bans",
            models.DurationField(null=True, blank=True, default=timedelta(days=730), db_default=timedelta(days=730)),
        ),
        migrations.AddField(
            "environment", "keep_tombstones", models.DurationField(null=True, blank=True)
        ),
        migrations.AddField(
            "environment",
            "keep_deliveries",
            models.DurationField(default=timedelta(days=30), db_default=timedelta(days=30)),
        ),
        migrations.AddField(
            "environment",
            "keep_requests",
            models.DurationField(default=timedelta(days=1), db_default=timedelta(days=1)),
        ),
    ]
