"""Let an import end in part, so that what it recorded can be undone, and keep what is to be known of a workbook's sheet."""

from django.db import migrations, models

IN_PART = "UPDATE connectors_fileimport SET state = 'partly' WHERE state = 'refused' AND chunks_done > 0"


class Migration(migrations.Migration):
    dependencies = [("connectors", "0009_connections")]

    operations = [
        migrations.AddField(
            model_name="fileimport",
            name="caveats",
            field=models.TextField(blank=True, default="", help_text="What a person should know of how a workbook's sheet became text, a sentence a line."),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="fileimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("looking", "being looked at"), ("waiting", "waiting"), ("running", "running or interrupted"), ("refused", "refused"),
                    ("partly", "taken in part"), ("done", "done"), ("unchanged", "changed nothing"), ("undoing", "being undone"), ("undone", "undone"),
                ],
                default="running",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="filereport",
            name="body",
            field=models.JSONField(help_text="A connectors.files.kind.Found; of a file that is refused, why."),
        ),
        migrations.RunSQL(IN_PART, migrations.RunSQL.noop),
    ]
