import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0006_bundles_partners_charges_goals_proposals'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='manualcost',
            name='manual_cost_ends_after_it_starts',
        ),
        migrations.RenameField(
            model_name='manualcost',
            old_name='from_day',
            new_name='effective_from',
        ),
        migrations.RenameField(
            model_name='manualcost',
            old_name='to_day',
            new_name='effective_to',
        ),
        migrations.AlterField(
            model_name='manualcost',
            name='effective_from',
            field=models.DateField(blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has.", null=True),
        ),
        migrations.AlterField(
            model_name='manualcost',
            name='effective_to',
            field=models.DateField(blank=True, help_text='The last day it holds. Empty: until further notice.', null=True),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='added_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='basis',
            field=models.CharField(choices=[('once', 'once, spread over its days'), ('day', 'every day'), ('week', 'every week'), ('month', 'every month'), ('quarter', 'every quarter'), ('year', 'every year'), ('revenue', '% of net revenue'), ('ad_spend', '% of ad spend'), ('order', 'per order'), ('unit', 'per unit sold')], default='once', max_length=10),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='channel',
            field=models.CharField(blank=True, help_text='Only orders of this sales channel. Empty: every channel.', max_length=60),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='includes_vat',
            field=models.BooleanField(default=False, help_text='The amount holds VAT that you get back; only the rest is a cost.', verbose_name='includes VAT'),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='invoice_number',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='percentage',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))]),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='product',
            field=models.ForeignKey(blank=True, help_text='Only this product. Empty: every product.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.product'),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='vat_percentage',
            field=models.DecimalField(decimal_places=4, default=Decimal('0'), help_text='Needed where the amount includes VAT.', max_digits=7, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='VAT %'),
        ),
        migrations.AlterField(
            model_name='manualcost',
            name='amount',
            field=models.DecimalField(blank=True, decimal_places=4, help_text='Positive; a credit is negative. Once: in all. Every month and the like: each time. Per order or unit: for one.', max_digits=19, null=True),
        ),
        migrations.AlterField(
            model_name='manualcost',
            name='category',
            field=models.CharField(choices=[('operating', 'operating'), ('marketing', 'marketing'), ('fulfilment', 'fulfilment'), ('fees', 'fees')], max_length=12),
        ),
        migrations.AddField(
            model_name='manualcost',
            name='partner',
            field=models.ForeignKey(blank=True, help_text="Per order, per unit and % of revenue: only orders with one of the partner's codes.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='costs', to='ledger.partner'),
        ),
    ]
