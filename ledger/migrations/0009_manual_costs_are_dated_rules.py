import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0008_who_entered_manual_costs_and_percentages'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='manualcost',
            name='removed_at',
        ),
        migrations.AlterField(
            model_name='manualcost',
            name='added_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.costchange'),
        ),
        migrations.AddIndex(
            model_name='manualcost',
            index=models.Index(condition=models.Q(('removed_by__isnull', True)), fields=['store'], name='manual_cost_live'),
        ),
        migrations.AddConstraint(
            model_name='manualcost',
            constraint=models.CheckConstraint(condition=models.Q(('effective_to__gte', models.F('effective_from'))), name='manual_cost_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='manualcost',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__isnull', True), ('basis__in', ['revenue', 'ad_spend']), ('percentage__isnull', False)), models.Q(models.Q(('basis__in', ['revenue', 'ad_spend']), _negated=True), ('amount__isnull', False), ('percentage__isnull', True)), _connector='OR'), name='manual_cost_is_an_amount_or_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='manualcost',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ['revenue', 'ad_spend', 'order', 'unit']), ('effective_from__isnull', False), _connector='OR'), name='manual_cost_has_a_first_day'),
        ),
        migrations.AddConstraint(
            model_name='manualcost',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'once'), _negated=True), ('effective_to__isnull', False), _connector='OR'), name='manual_cost_once_has_a_last_day'),
        ),
        migrations.AddConstraint(
            model_name='manualcost',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis__in', ['revenue', 'order', 'unit']), _negated=True), models.Q(('category', 'operating'), _negated=True), _connector='OR'), name='operating_costs_belong_to_no_order'),
        ),
    ]
