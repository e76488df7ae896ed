from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0011_schedules'),
    ]

    operations = [
        migrations.AddField(
            model_name='task',
            name='trace_id',
            field=models.CharField(help_text='Of the trace that it is a part of (OpenTelemetry).', max_length=32, null=True, verbose_name='trace id'),
        ),
        migrations.AddField(
            model_name='task',
            name='trace_tie',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='trace_ts',
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
