import django.core.validators
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0012_accounts_keep_their_numbers'),
    ]

    operations = [
        migrations.AddField(
            model_name='orderline',
            name='stated_cost',
            field=models.DecimalField(decimal_places=4, help_text="Of one unit as the platform states it with the order, in the order's currency.", max_digits=19, null=True),
        ),
        # 1: stated with the order
        migrations.RunSQL("UPDATE ledger_orderline SET stated_cost = unit_cost WHERE cost_source = 1", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='orderline',
            name='cost_source',
            field=models.PositiveSmallIntegerField(choices=[(0, 'no cost applies'), (8, 'set by hand for this order'), (1, 'stated with the order'), (2, 'product cost entered by hand'), (9, "cost of the bundle's parts"), (10, "cost of the bundle's parts, some of it estimated"), (3, 'product cost stated by the platform'), (7, 'first known product cost, from before it was known'), (4, 'product COGS percentage'), (5, 'store COGS percentage'), (6, 'default COGS percentage')]),
        ),
        migrations.AlterField(
            model_name='orderline',
            name='unit_cost',
            field=models.DecimalField(decimal_places=4, help_text="In the cost's currency, the order's where that is empty; empty while it waits for a rate.", max_digits=19, null=True),
        ),
        migrations.AlterField(
            model_name='product',
            name='cogs_percentage',
            field=models.DecimalField(blank=True, decimal_places=4, help_text="Share of this product's list price that it costs today, by its rules; those decide. Empty: the store's percentage applies.", max_digits=7, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='COGS %'),
        ),
        migrations.AlterField(
            model_name='store',
            name='cogs_percentage',
            field=models.DecimalField(blank=True, decimal_places=4, help_text="Share of the list price a product costs today when nothing better is known, by the store's rules; those decide. Empty: the default applies.", max_digits=7, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='COGS %'),
        ),
        migrations.AddIndex(
            model_name='costoverride',
            index=models.Index(condition=models.Q(('removed_by__isnull', True)), fields=['store', 'order_id'], name='cost_override_by_order'),
        ),
    ]
