"""Keep requests about personal data, and copies until they are passed on."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("connectors", "0014_runs_try_parked_records_again"), ("ledger", "0029_people_are_erased")]

    operations = [
        migrations.AlterField(
            "rawpayload", "redacted_at", models.DateTimeField(help_text="When somebody who was erased was last cut from it.", null=True)
        ),
        migrations.CreateModel(
            "PrivacyCase",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(
                    choices=[
                        ("data_request", "a copy of what is held"), ("erase_person", "erasure of a person"),
                        ("erase_account", "erasure of an account"),
                    ],
                    max_length=14,
                )),
                ("state", models.CharField(
                    choices=[("looked", "looked at"), ("open", "under way"), ("failed", "failed"), ("done", "done")], default="open", max_length=6,
                )),
                ("reference", models.CharField(blank=True, help_text="What the platform calls the request, else its delivery.", max_length=120)),
                ("actor", models.CharField(blank=True, help_text="Who of the store asked.", max_length=150)),
                ("received_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(help_text="By when the law wants it done.")),
                ("done_at", models.DateTimeField(null=True)),
                ("sought", models.BinaryField(
                    help_text="Whom and what it is about: JSON, sealed with FIELD_KEYS; emptied when it is done.", null=True
                )),
                ("place", models.CharField(blank=True, help_text="Where it is being done, to go on there.", max_length=40)),
                ("after", models.PositiveBigIntegerField(default=0, help_text="Number of the last row there that is done.")),
                ("counts", models.JSONField(default=dict, help_text="What was found or cut, by place.")),
                ("notes", models.JSONField(default=list, help_text="Sentences about what could not be linked.")),
                ("problem", models.TextField(blank=True)),
                ("job", models.PositiveBigIntegerField(help_text="The background job that does it.", null=True)),
                ("connection", models.ForeignKey(
                    help_text="Whose platform asked; none: a person.", null=True, on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+", to="connectors.connection",
                )),
                ("store", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="privacy_cases", to="ledger.store")),
            ],
            options={
                "ordering": ["-received_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(connection__isnull=False), fields=("connection", "kind", "reference"), name="one_case_per_account_and_reference"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "PrivacyCopy",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("body", models.BinaryField(help_text="A ZIP file, sealed with FIELD_KEYS.")),
                ("about", models.BinaryField(
                    help_text="The keyed hashes whose it is, so that it goes when they are erased: JSON, sealed with FIELD_KEYS."
                )),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("case", models.OneToOneField(
                    on_delete=django.db.models.deletion.CASCADE, related_name="copy", to="connectors.privacycase"
                )),
            ],
        ),
    ]  # fmt: skip
