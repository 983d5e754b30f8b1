"""Let lists of orders go on from any order: by day alone, all orders of a day would be read again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Put the id behind the day in the index that orders are listed by."""

    dependencies = [("ledger", "0020_processors_name_orders")]
    operations = [
        migrations.RemoveIndex(model_name="order", name="order_by_day"),
        migrations.AddIndex(model_name="order", index=models.Index(fields=["store", "day", "id"], name="order_by_day_and_id")),
    ]
