from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0012_audit_retention'),
    ]

    operations = [
        migrations.AddField(
            model_name='application',
            name='second_factor_required',
            field=models.BooleanField(db_default=False, default=False, help_text='Members enter only after they have set up a second factor.'),
        ),
    ]
