from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("moderation", "0003_plural_names"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mute",
            index=models.Index(
                fields=["environment", "channel", "id"], name="moderation_mutes_in_channel"
            ),
        ),
    ]
