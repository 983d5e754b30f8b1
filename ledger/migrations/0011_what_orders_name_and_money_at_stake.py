"""Keep what recent orders name (gateways, countries, codes), and what money a finding is about."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the counts that rule checks and coverage read instead of orders, and the money of findings."""

    dependencies = [("ledger", "0010_charges_keep_the_status_their_file_told")]

    operations = [
        migrations.AddField(
            model_name="finding",
            name="money",
            field=models.DecimalField(
                blank=True, decimal_places=4, max_digits=19, null=True, verbose_name="money at stake",
                help_text="In the book's currency; empty where it is not known.",
            ),
        ),
        migrations.CreateModel(
            name="Seen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("gateway", "payment gateway"), ("country", "country"), ("method", "shipping method"),
                            ("code", "partner's discount code"), ("labelled", "orders with a label's cost"),
                            ("unlabelled", "orders shipped without a label's cost"),
                            ("labelled_twice", "orders with a label's cost from two sources"),
                        ],
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(blank=True, help_text="Codes and countries in capitals, the rest in small letters; empty where the kind says it all.", max_length=120)),
                ("currency", models.CharField(blank=True, help_text="Of a gateway's charges; empty for the other kinds.", max_length=3)),
                (
                    "count",
                    models.PositiveIntegerField(
                        help_text="Of the last 90 days: charges without a stated fee through a gateway, otherwise orders."
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=4, max_digits=19, null=True,
                        help_text=(
                            "Of the last 90 days, in the store's currency: those charges, or what shipping those orders cost. "
                            "Empty: not known, or no amount."
                        ),
                    ),
                ),
                ("last_day", models.DateField(help_text="The latest day it was named, within 180 days.")),
                ("counted_at", models.DateTimeField()),
                ("store", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="ledger.store")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("store", "kind", "name", "currency"), name="one_count_per_store_and_thing_seen")
                ],
            },
        ),
    ]  # fmt: skip
