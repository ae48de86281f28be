from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0013_second_factor_required'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='by_groups',
            field=models.BooleanField(db_default=False, default=False, help_text='The role follows groups of the identity provider, at each sign-in.'),
        ),
    ]
