from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0014_orders_leave_room_for_restating")]
    operations = [
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("cause", 4)), fields=["book_id", "cause_ref", "seq"], name="batch_of_rule"),
        ),
    ]
