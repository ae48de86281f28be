from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0017_message_extra")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="sent_from",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("sent_from__isnull", False)),
                fields=["environment", "sender_id", "id"],
                name="users_messages_copied",
            ),
        ),
    ]
