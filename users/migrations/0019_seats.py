from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0018_own_copies")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="seat",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.AlterField(
            model_name="connection",
            name="kick_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("banned", "Banned"),
                    ("deactivated", "Deactivated"),
                    ("deleted", "Deleted"),
                    ("signed out", "Signed Out"),
                    ("kicked", "Kicked"),
                    ("replaced", "Replaced"),
                ],
                max_length=40,
            ),
        ),
    ]
