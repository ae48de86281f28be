from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0005_longer_names"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["environment", "id"], name="users_connections_by_time"),
        ),
    ]
