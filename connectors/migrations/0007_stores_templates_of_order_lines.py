from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("connectors", "0006_files_are_looked_at"), ("ledger", "0011_what_orders_name_and_money_at_stake")]

    operations = [
        migrations.CreateModel(
            name="OrderLineTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("mapping", models.JSONField(help_text="A connectors.platforms.files.template.Template.")),
                ("actor", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField()),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="order_line_templates", to="ledger.store"),
                ),
            ],
            options={"indexes": [models.Index(fields=["store", "-created_at"], name="order_line_template_by_age")]},
        ),
    ]
