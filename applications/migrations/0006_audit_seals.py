import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models import F, Func, Value


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0005_environments_ignoring_case"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_at", models.DateTimeField()),
                ("lines", models.IntegerField()),
                ("ids", models.TextField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("line_hashes", models.BinaryField()),
                ("through_id", models.BigIntegerField()),
                ("settled_id", models.BigIntegerField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("oldest_transaction", models.BigIntegerField()),
                ("next_transaction", models.BigIntegerField()),
                ("key_hint", models.CharField(max_length=8)),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("seal", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GistIndex(
                        Func(F("first_id"), F("last_id"), Value("[]"), function="int8range"),
                        name="audit_seals_of_lines",
                    )
                ],
            },
        ),
    ]
