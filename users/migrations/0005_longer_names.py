from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0004_plural_names'),
    ]

    operations = [
        migrations.AlterField(
            model_name='appuser',
            name='name',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='friendship',
            name='alias',
            field=models.CharField(blank=True, max_length=100),
        ),
    ]
