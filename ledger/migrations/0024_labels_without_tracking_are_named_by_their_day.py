from django.db import migrations

LABEL, FULFILMENT = 1, 2


class Migration(migrations.Migration):
    """Name charges that files told without a reference by their day, as they are named when the file is read again."""

    dependencies = [("ledger", "0023_find_entries_beneath_a_figure")]

    operations = [
        migrations.RunSQL(
            sql=f"""
                UPDATE ledger_ordercharge c SET reference = named.reference
                FROM (
                    SELECT id, ltrim(carrier || ' ' || day || ' row ' || row_number() OVER (
                        PARTITION BY store_id, kind, order_ref, carrier, day, removed_at ORDER BY number, id
                    )) AS reference
                    FROM (
                        SELECT id, store_id, kind, order_ref, day, removed_at,
                            regexp_replace(reference, ' ?row [0-9]+$', '') AS carrier, substring(reference FROM '[0-9]+$')::int AS number
                        FROM ledger_ordercharge
                        WHERE kind IN ({LABEL}, {FULFILMENT}) AND day IS NOT NULL AND reference ~ '^(.* )?row [0-9]+$'
                    ) AS told
                ) AS named
                WHERE named.id = c.id
            """,
            reverse_sql=migrations.RunSQL.noop,
        )
    ]
