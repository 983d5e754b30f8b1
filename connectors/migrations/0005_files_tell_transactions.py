import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0004_cost_files_match_rows'),
        ('ledger', '0019_sales_may_be_estimated'),
    ]

    operations = [
        migrations.CreateModel(
            name='OrderTransaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_ref', models.CharField(blank=True, help_text="The platform's id of the order; empty where the file has lost it.", max_length=20)),
                ('order_name', models.CharField(blank=True, max_length=80)),
                ('kind', models.CharField(max_length=20)),
                ('gateway', models.CharField(blank=True, max_length=60)),
                ('status', models.CharField(max_length=20)),
                ('amount', models.DecimalField(decimal_places=4, max_digits=19)),
                ('currency', models.CharField(max_length=3)),
                ('happened_at', models.DateTimeField()),
                ('file_import', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transactions', to='connectors.fileimport')),
                ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ledger.store')),
            ],
            options={
                'indexes': [models.Index(fields=['store', 'order_ref'], name='transaction_by_order'), models.Index(fields=['store', 'order_name'], name='transaction_by_name')],
            },
        ),
    ]
