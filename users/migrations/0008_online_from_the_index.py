from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0007_messages_in_order"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="connection",
            name="users_connections_of_user",
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                fields=["environment", "user_id", "gateway"], name="users_connections_of_user"
            ),
        ),
    ]
