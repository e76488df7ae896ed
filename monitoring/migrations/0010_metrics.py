import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0009_failures'),
    ]

    operations = [
        migrations.AddField(
            model_name='eventdelta',
            name='newest_ts',
            field=models.BigIntegerField(null=True, verbose_name='newest'),
        ),
        migrations.AddField(
            model_name='eventdelta',
            name='prefetch',
            field=models.FloatField(null=True, verbose_name='prefetch time'),
        ),
        migrations.AddField(
            model_name='eventtotal',
            name='newest_ts',
            field=models.BigIntegerField(null=True, verbose_name='newest'),
        ),
        migrations.AddField(
            model_name='eventtotal',
            name='prefetch',
            field=models.FloatField(null=True, verbose_name='prefetch time'),
        ),
        migrations.AddField(
            model_name='eventtotal',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='created'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='eventtotal',
            name='updated_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='updated'),
            preserve_default=False,
        ),
    ]
