from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0004_environment_ids_ignore_case"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="environment",
            index=models.Index(
                condition=models.Q(("ids_ignore_case", True)),
                fields=["id"],
                name="environments_ignoring_case",
            ),
        ),
    ]
