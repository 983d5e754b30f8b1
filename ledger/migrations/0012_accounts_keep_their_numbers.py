from django.db import migrations


class Migration(migrations.Migration):
    """Number labelled accounts by a sequence: what is taken back with its transaction is never given to another name."""

    dependencies = [("ledger", "0011_what_orders_name_and_money_at_stake")]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE SEQUENCE ledger_account_number AS smallint MINVALUE 1000;
                SELECT setval('ledger_account_number', max(number)) FROM ledger_account HAVING max(number) IS NOT NULL;
            """,
            reverse_sql="DROP SEQUENCE ledger_account_number;",
        ),
    ]
