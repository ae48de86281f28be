from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0016_read_together")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="extra",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
