import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F


def fill(apps, schema_editor):
    apps.get_model('applications', 'Webhook').objects.update(next_turn_at=F('created_at'))
    apps.get_model('applications', 'Delivery').objects.update(queued_at=F('occurred_at'))


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0005_chat_clients_act'),
    ]

    operations = [
        migrations.AddField('webhook', 'next_turn_at', models.DateTimeField(null=True)),
        migrations.AddField('webhook', 'failing_since', models.DateTimeField(blank=True, null=True)),
        migrations.AlterField('webhook', 'url', models.URLField(max_length=500, verbose_name='URL')),
        migrations.AddField('delivery', 'queued_at', models.DateTimeField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField('webhook', 'next_turn_at', models.DateTimeField()),
        migrations.AlterField('delivery', 'queued_at', models.DateTimeField()),
        migrations.AlterField(
            'delivery',
            'state',
            models.CharField(
                choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Given up')],
                default='waiting',
                max_length=9,
            ),
        ),
        migrations.AlterField(
            'delivery',
            'webhook',
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name='deliveries',
                to='applications.webhook',
            ),
        ),
        migrations.RemoveIndex('delivery', 'applications_delivery_due'),
        migrations.AddIndex(
            'delivery',
            models.Index(
                condition=models.Q(('state', 'waiting')),
                fields=['webhook', 'next_attempt_at'],
                name='applications_delivery_due',
            ),
        ),
        migrations.AddIndex(
            'delivery',
            models.Index(
                condition=models.Q(('state', 'failed')),
                fields=['webhook', '-id'],
                name='applications_delivery_lost',
            ),
        ),
    ]
