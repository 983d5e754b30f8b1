from django.db import migrations

# As the writer adds them up (ledger/charges/balance_rows.py): payouts themselves are left out, and payouts that came back of failed ones.
ADD_UP = """
    UPDATE ledger_balancetransaction SET meaning = 15 WHERE meaning = 14 AND type IN ('TRANSFER_CANCEL', 'TRANSFER_FAILURE', 'TRANSFER_REFUND');
    UPDATE ledger_payout p SET
        rows = s.rows, charges = s.charges, refunds = s.refunds, others = s.others, fees = s.fees, first_at = s.first_at, last_at = s.last_at
    FROM (
        SELECT q.id, count(*) AS rows, coalesce(sum(b.amount) FILTER (WHERE b.meaning = 1), 0) AS charges,
            coalesce(sum(b.amount) FILTER (WHERE b.meaning = 2), 0) AS refunds,
            coalesce(sum(b.amount) FILTER (WHERE b.meaning NOT IN (1, 2)), 0) AS others, sum(b.fee) AS fees,
            min(b.at) FILTER (WHERE b.meaning IN (1, 2)) AS first_at, max(b.at) FILTER (WHERE b.meaning IN (1, 2)) AS last_at
        FROM ledger_payout q JOIN ledger_balancetransaction b
            ON b.store_id = q.store_id AND b.platform = q.platform AND b.payout_ref = q.external_id AND b.currency = q.currency
        WHERE b.meaning <> 14 AND NOT (b.meaning = 15 AND q.status IN ('FAILED', 'CANCELED')) GROUP BY q.id
    ) AS s WHERE p.id = s.id;
"""


class Migration(migrations.Migration):
    """Add up the payouts that were told before their rows were added up as they come."""

    dependencies = [("ledger", "0033_payouts_are_added_up_and_disputes_kept")]
    operations = [migrations.RunSQL(ADD_UP, migrations.RunSQL.noop)]
