from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0018_written_payload'),
    ]

    operations = [
        migrations.AddField(
            model_name='task',
            name='is_renamed',
            field=models.BooleanField(editable=False, null=True),
        ),
    ]
