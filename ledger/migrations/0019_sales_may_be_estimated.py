from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0018_ad_spend'),
    ]

    operations = [
        migrations.AddField(
            model_name='sale',
            name='estimated',
            field=models.BooleanField(db_default=False, default=False, help_text='Its day, line or parts are worked out by a rule.'),
        ),
        migrations.AddIndex(
            model_name='sale',
            index=models.Index(condition=models.Q(('estimated', True)), fields=['store_id', 'order_id'], name='sale_estimated'),
        ),
    ]
