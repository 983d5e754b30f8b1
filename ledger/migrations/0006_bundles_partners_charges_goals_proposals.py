import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import ledger.models.stores
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0005_orders_tell_codes_method_and_weight'),
    ]

    operations = [
        migrations.CreateModel(
            name='BundlePart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has.", null=True)),
                ('effective_to', models.DateField(blank=True, help_text='The last day it holds. Empty: until further notice.', null=True)),
                ('quantity', models.PositiveIntegerField(default=1, help_text='Units of the component in one unit of the bundle.', validators=[django.core.validators.MinValueValidator(1)])),
            ],
        ),
        migrations.CreateModel(
            name='CostDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('filename', models.CharField(max_length=200)),
                ('media_type', models.CharField(max_length=80)),
                ('size', models.PositiveIntegerField(help_text='Bytes of the file as it was given.')),
                ('sha256', models.CharField(max_length=64)),
                ('body', models.BinaryField()),
                ('added_at', models.DateTimeField()),
                ('actor', models.CharField(blank=True, max_length=150)),
            ],
        ),
        migrations.CreateModel(
            name='CostOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has.", null=True)),
                ('effective_to', models.DateField(blank=True, help_text='The last day it holds. Empty: until further notice.', null=True)),
                ('order_id', models.BigIntegerField()),
                ('line', models.CharField(help_text="The platform's id of the order line.", max_length=120)),
                ('unit_cost', models.DecimalField(decimal_places=4, max_digits=19, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('currency', models.CharField(max_length=3, validators=[ledger.models.stores.valid_currency])),
                ('told', models.CharField(blank=True, editable=False, help_text="The order's number and the line's title, for the list.", max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='OrderCharge',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('kind', models.PositiveSmallIntegerField(choices=[(1, 'shipping label'), (2, 'packing and fulfilment'), (3, 'commission'), (4, 'gifted product')])),
                ('order_ref', models.CharField(help_text="The order's number or its platform's id, as the file names it.", max_length=120, verbose_name='order')),
                ('order_id', models.BigIntegerField(null=True)),
                ('reference', models.CharField(help_text="Names the charge among those of its order: a tracking number, the network's id.", max_length=120)),
                ('status', models.PositiveSmallIntegerField(choices=[(1, 'pending'), (2, 'approved'), (3, 'paid'), (4, 'denied')], default=2)),
                ('amount', models.DecimalField(decimal_places=4, help_text='Positive is a cost.', max_digits=19)),
                ('currency', models.CharField(max_length=3, validators=[ledger.models.stores.valid_currency])),
                ('day', models.DateField(blank=True, help_text="In the store's time zone. Empty: the order's day.", null=True)),
                ('cause_ref', models.CharField(max_length=80)),
                ('actor', models.CharField(blank=True, max_length=150)),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('influencer', 'influencer'), ('affiliate', 'affiliate')], max_length=12)),
                ('note', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['store', 'name'],
            },
        ),
        migrations.CreateModel(
            name='PartnerCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has.", null=True)),
                ('effective_to', models.DateField(blank=True, help_text='The last day it holds. Empty: until further notice.', null=True)),
                ('code', models.CharField(help_text='As buyers type it; capitals do not matter.', max_length=80, validators=[django.core.validators.MinLengthValidator(1)], verbose_name='discount code')),
            ],
        ),
        migrations.CreateModel(
            name='ProfitGoal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has.", null=True)),
                ('effective_to', models.DateField(blank=True, help_text='The last day it holds. Empty: until further notice.', null=True)),
                ('amount', models.DecimalField(decimal_places=4, help_text="Net profit of one month, in the store's currency.", max_digits=19)),
            ],
        ),
        migrations.CreateModel(
            name='ProposedChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=150)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('summary', models.CharField(max_length=300)),
                ('origin', models.CharField(help_text='The page or file it comes from, to go back to.', max_length=200)),
                ('add', models.JSONField(help_text='The rules to be added: model and values.')),
                ('remove', models.JSONField(help_text='The rules to be removed: model and key.')),
                ('state', models.CharField(choices=[('open', 'to be decided'), ('applied', 'applied'), ('dismissed', 'dismissed')], default='open', max_length=10)),
                ('effect', models.JSONField(help_text='What it would do, once that has been worked out.', null=True)),
                ('effect_version', models.BigIntegerField(help_text="The version of the book's costs the effect was worked out against.", null=True)),
                ('effect_seq', models.BigIntegerField(help_text="The book's last batch then.", null=True)),
                ('job', models.PositiveBigIntegerField(help_text='The background job that works the effect out, where there are many orders.', null=True)),
            ],
        ),
        migrations.AddField(
            model_name='bundlepart',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='bundlepart',
            name='bundle',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='ledger.variant'),
        ),
        migrations.AddField(
            model_name='bundlepart',
            name='component',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.variant'),
        ),
        migrations.AddField(
            model_name='bundlepart',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='bundlepart',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='costdocument',
            name='cost',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='ledger.manualcost'),
        ),
        migrations.AddField(
            model_name='costoverride',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='costoverride',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='costoverride',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='ordercharge',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='partner',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='partners', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='ordercharge',
            name='partner',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='ledger.partner'),
        ),
        migrations.AddField(
            model_name='partnercode',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='partnercode',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='ledger.partner'),
        ),
        migrations.AddField(
            model_name='partnercode',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='partnercode',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='profitgoal',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='profitgoal',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='profitgoal',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='proposedchange',
            name='made',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='proposal', to='ledger.costchange'),
        ),
        migrations.AddField(
            model_name='proposedchange',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store'),
        ),
        migrations.AddField(
            model_name='proposedchange',
            name='undoes',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddConstraint(
            model_name='bundlepart',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('removed_by__isnull', True)), expressions=[(models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('bundle_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('bundle_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('component_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('component_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.F('effective_from'), models.F('effective_to'), models.Value('[]'), function='daterange', output_field=models.Field()), '&&')], name='one_quantity_per_bundle_part_and_day'),
        ),
        migrations.AddConstraint(
            model_name='bundlepart',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='bundle_part_has_units'),
        ),
        migrations.AddConstraint(
            model_name='bundlepart',
            constraint=models.CheckConstraint(condition=models.Q(('bundle', models.F('component')), _negated=True), name='bundle_is_no_part_of_itself'),
        ),
        migrations.AddConstraint(
            model_name='costoverride',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('removed_by__isnull', True)), expressions=[(models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('order_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('order_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.Func(models.F('line'), models.Value(0), function='hashtextextended', output_field=models.BigIntegerField()), models.Func(models.F('line'), models.Value(0), function='hashtextextended', output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.F('effective_from'), models.F('effective_to'), models.Value('[]'), function='daterange', output_field=models.Field()), '&&')], name='one_override_per_order_line'),
        ),
        migrations.AddConstraint(
            model_name='costoverride',
            constraint=models.CheckConstraint(condition=models.Q(('unit_cost__gte', 0)), name='cost_override_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='costoverride',
            constraint=models.CheckConstraint(condition=models.Q(('effective_from__isnull', True), ('effective_to__isnull', True)), name='cost_override_has_no_days'),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.UniqueConstraint(fields=('store', 'name'), name='one_partner_per_store_and_name'),
        ),
        migrations.AddIndex(
            model_name='ordercharge',
            index=models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['store', 'order_id'], name='order_charge_by_order'),
        ),
        migrations.AddIndex(
            model_name='ordercharge',
            index=models.Index(condition=models.Q(('order_id__isnull', True), ('removed_at__isnull', True)), fields=['store', 'order_ref'], name='order_charge_waiting'),
        ),
        migrations.AddConstraint(
            model_name='ordercharge',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('store', 'kind', 'order_ref', 'reference'), name='one_charge_per_order_and_reference'),
        ),
        migrations.AddConstraint(
            model_name='partnercode',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('removed_by__isnull', True)), expressions=[(models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.Func(models.F('code'), models.Value(0), function='hashtextextended', output_field=models.BigIntegerField()), models.Func(models.F('code'), models.Value(0), function='hashtextextended', output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.F('effective_from'), models.F('effective_to'), models.Value('[]'), function='daterange', output_field=models.Field()), '&&')], name='one_partner_per_code_and_day'),
        ),
        migrations.AddConstraint(
            model_name='profitgoal',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('removed_by__isnull', True)), expressions=[(models.Func(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.Cast('store_id', models.BigIntegerField()), models.Value(0), output_field=models.BigIntegerField()), models.Value('[]'), function='int8range', output_field=models.Field()), '&&'), (models.Func(models.F('effective_from'), models.F('effective_to'), models.Value('[]'), function='daterange', output_field=models.Field()), '&&')], name='one_profit_goal_per_day'),
        ),
        migrations.AddIndex(
            model_name='proposedchange',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['at'], name='proposed_change_open'),
        ),
    ]
