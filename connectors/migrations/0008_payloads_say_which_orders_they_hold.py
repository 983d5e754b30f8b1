"""Let the rows of one order be found in the archive without opening all of it."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    """Keep hashes of the names of its orders with each payload; those from before have none and are searched one by one."""

    dependencies = [("connectors", "0007_stores_templates_of_order_lines")]
    operations = [
        migrations.AddField(
            model_name="rawpayload",
            name="keys",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, help_text="Hashes of the names of the orders in it; none: not known.",
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="rawpayload", index=django.contrib.postgres.indexes.GinIndex(fields=["keys"], name="raw_payload_by_key")
        ),
    ]  # fmt: skip
