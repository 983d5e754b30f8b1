from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0016_rules_have_first_and_last_days'),
    ]

    operations = [
        migrations.AddField(
            model_name='ordercharge',
            name='covers',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, help_text='Of a payment fee: how much of what the customer paid it is the fee of, in its currency.', max_digits=19),
        ),
        migrations.AddField(
            model_name='ordercharge',
            name='processor',
            field=models.CharField(blank=True, db_default='', default='', help_text='Who kept a fee.', max_length=40),
        ),
        migrations.AlterField(
            model_name='ordercharge',
            name='kind',
            field=models.PositiveSmallIntegerField(choices=[(1, 'shipping label'), (2, 'packing and fulfilment'), (3, 'commission'), (4, 'gifted product'), (5, 'payment fee'), (6, 'dispute fee'), (7, 'chargeback')]),
        ),
    ]
