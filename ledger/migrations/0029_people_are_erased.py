"""Let customers be of nobody, by request, and remember whom not to recognise again."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0028_balances_of_payment_processors")]

    operations = [
        migrations.AddField(
            "customer", "erased_at",
            models.DateTimeField(null=True, help_text="Since when its hash is of nobody, by request: its orders stay together, and nobody's."),
        ),
        migrations.CreateModel(
            "ErasedIdentity",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("identity_hash", models.BinaryField(max_length=16)),
                ("at", models.DateTimeField()),
                ("store", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="ledger.store")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("store", "identity_hash"), name="one_erased_identity_per_store_and_hash")],
            },
        ),
    ]  # fmt: skip
