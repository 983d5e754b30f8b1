import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0004_dated_cost_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='costchange',
            name='costs_version',
            field=models.BigIntegerField(help_text="The version of the book's costs it made; empty where no order's cost moved.", null=True),
        ),
        migrations.AddField(
            model_name='finding',
            name='mend',
            field=models.CharField(blank=True, db_default='', default='', help_text='The page that mends it, below /admin/ledger/.', max_length=200),
        ),
        migrations.AddField(
            model_name='order',
            name='discount_codes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), db_default=[], default=list, help_text='In capitals.', size=None),
        ),
        migrations.AddField(
            model_name='order',
            name='grams',
            field=models.IntegerField(help_text='What it weighs; empty where that is not known.', null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='shipping_method',
            field=models.CharField(blank=True, db_default='', default='', max_length=120),
        ),
        migrations.AddField(
            model_name='shippingrule',
            name='least_grams',
            field=models.PositiveIntegerField(default=0, help_text='Grams. An order of unknown weight fits no rule about weight.', verbose_name='weighs at least'),
        ),
        migrations.AddField(
            model_name='shippingrule',
            name='method',
            field=models.CharField(blank=True, help_text="Words that the shipping method's name holds, e.g. express. Empty: every method.", max_length=120, verbose_name='shipping method'),
        ),
        migrations.AddField(
            model_name='shippingrule',
            name='most_grams',
            field=models.PositiveIntegerField(blank=True, help_text='Grams.', null=True, verbose_name='weighs at most'),
        ),
        migrations.AlterField(
            model_name='orderline',
            name='cost_source',
            field=models.PositiveSmallIntegerField(choices=[(0, 'no cost applies'), (8, 'set by hand for this order'), (1, 'stated with the order'), (2, 'product cost entered by hand'), (9, "cost of the bundle's parts"), (3, 'product cost stated by the platform'), (7, 'first known product cost, from before it was known'), (4, 'product COGS percentage'), (5, 'store COGS percentage'), (6, 'default COGS percentage')]),
        ),
        migrations.AddIndex(
            model_name='costchange',
            index=models.Index(fields=['store', 'costs_version'], name='cost_change_by_version'),
        ),
    ]
