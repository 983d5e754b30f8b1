from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0010_files_may_be_taken_in_part'),
    ]

    operations = [
        migrations.AddField(
            model_name='synccursor',
            name='next_at',
            field=models.DateTimeField(help_text='When the stream is read next by itself; null: as soon as may be.', null=True),
        ),
        migrations.AddConstraint(
            model_name='rawpayload',
            constraint=models.UniqueConstraint(fields=('connection', 'stream', 'sha256'), name='a_page_received_again_is_kept_once'),
        ),
    ]
