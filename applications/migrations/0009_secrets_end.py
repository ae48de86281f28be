from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0008_found_by_id'),
    ]

    operations = [
        migrations.AddField(
            model_name='appsecret',
            name='ends_at',
            field=models.DateTimeField(blank=True, help_text='From then on it is refused. Empty: it has no end.', null=True),
        ),
        migrations.AddField(
            model_name='appsecret',
            name='last_used_address',
            field=models.GenericIPAddressField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='appsecret',
            name='last_used_via',
            field=models.CharField(blank=True, db_default='', default='', max_length=80),
        ),
        migrations.AddField(
            model_name='appsecret',
            name='name',
            field=models.CharField(blank=True, db_default='', default='', max_length=60),
        ),
    ]
