from django.db import migrations, models
import django.db.models.deletion

STATES = [
    ("looking", "being looked at"),
    ("waiting", "waiting"),
    ("running", "running or interrupted"),
    ("refused", "refused"),
    ("done", "done"),
    ("unchanged", "changed nothing"),
    ("undoing", "being undone"),
    ("undone", "undone"),
]


class Migration(migrations.Migration):
    dependencies = [("connectors", "0005_files_tell_transactions")]

    operations = [
        migrations.AlterField("fileimport", "state", models.CharField(choices=STATES, default="running", max_length=12)),
        migrations.AlterField(
            "fileimport", "job", models.PositiveBigIntegerField(help_text="The background job that works on it, when one does.", null=True)
        ),
        migrations.AddField(
            "fileimport",
            "new_orders",
            models.PositiveIntegerField(default=0, help_text="Of the changed ones, those that were not known before."),
        ),
        migrations.AddField("fileimport", "unchanged_orders", models.PositiveIntegerField(default=0)),
        migrations.CreateModel(
            name="FileReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(choices=[("looked", "looked at"), ("taken", "taken"), ("undone", "undone")], max_length=6)),
                ("body", models.JSONField(help_text="A connectors.file_kind.Found; of a file that is refused, why.")),
                (
                    "file_import",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="connectors.fileimport"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("file_import", "stage"), name="one_report_per_import_and_stage")],
            },
        ),
    ]
