
import django.contrib.postgres.indexes
import django.db.models.deletion
import users.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0008_found_by_id'),
        ('users', '0011_sorted_by_last_seen'),
    ]

    operations = [
        migrations.CreateModel(
            name='KickReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user_id', users.fields.UserIdField(max_length=64)),
                ('gateway', models.CharField(max_length=100)),
                ('kicked_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField()),
                ('connections', models.PositiveIntegerField()),
                ('environment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='applications.environment')),
            ],
            options={
                'indexes': [models.Index(fields=['environment', 'kicked_at', 'user_id'], name='users_kick_reports'), django.contrib.postgres.indexes.BrinIndex(fields=['closed_at'], name='users_kick_reports_by_time')],
            },
        ),
    ]
