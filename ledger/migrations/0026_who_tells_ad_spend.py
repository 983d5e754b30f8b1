"""Keep who tells a day of ad spend: the platform, its own file, or a person's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0025_stores_are_deleted")]

    operations = [
        migrations.AddField(
            model_name="adday",
            name="teller",
            field=models.PositiveSmallIntegerField(
                choices=[(1, "the platform itself"), (2, "the platform's own file"), (3, "a person's file")], default=1
            ),
        ),
    ]
